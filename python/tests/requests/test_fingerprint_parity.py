"""ja3=, akamai=, extra_fp=: an origin sees what it sees of curl_cffi with the same arguments."""

import asyncio
import shutil
import warnings

import curl_cffi
import pytest
from curl_cffi.requests.impersonate import ExtraFingerprints as TheirExtra

import django_curlew
from django_curlew import AsyncSession, CurlSslVersion, ExtraFingerprints, Session, exceptions
from tests.support.curlewd import Curlewd
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env

JA3 = ("771,4865-4866-4867-49195-49196-52393-49199-49200-52392-49171-49172-156-157-47-53,"
       "0-23-65281-10-11-35-16-5-13-51-45-43,29-23-24,0")
OTHER_JA3 = "771,4865-49195-49199,0-10-11-13-16-43-45-51,29-23,0"
AKAMAI = "4:16777216|16711681|0|m,p,a,s"
DETAILS = {"tls_signature_algorithms": ["ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"],
           "tls_min_version": CurlSslVersion.TLSv1_2, "tls_cert_compression": "brotli",
           "http2_stream_weight": 42, "http2_stream_exclusive": 1,
           "header_order": "x-b,x-a", "split_cookies": False}
CASES = {
    "ja3": {"ja3": JA3}, "akamai": {"akamai": AKAMAI}, "a dict": {"extra_fp": DETAILS},
    "all": {"ja3": JA3, "akamai": AKAMAI, "extra_fp": DETAILS},
    "curl_cffi's class": {"extra_fp": TheirExtra(tls_grease=True, http2_no_priority=True)},
    "over a browser": {"impersonate": "safari", "akamai": AKAMAI},
}
HEADERS = {"X-A": "1", "X-B": "2", "User-Agent": "mine", "Accept-Encoding": "gzip"}


@pytest.fixture(scope="module")
def url():
    d = Curlewd({}, env=impersonating_env())
    yield f"fcgi+unix:{d.socket}"
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture
def face(certs):
    """face(get) → what an origin sees of get(url)"""

    def look(get):
        with FingerprintOrigin(certs) as origin:
            get(origin.url())
            seen = origin.seen[0]
        headers = [(n, "" if n == ":authority" else v) for n, v in seen.headers]
        return seen.ja3, seen.ja4, seen.hello.has_grease, seen.akamai, headers

    return look


def expected(face, kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a browser's fingerprint is altered
        return face(lambda u: curl_cffi.get(u, verify=False, headers=HEADERS, **kwargs))


@pytest.mark.parametrize("name", CASES)
def test_an_origin_sees_what_it_sees_of_curl_cffi(url, face, name):
    kwargs = CASES[name]
    wanted = expected(face, kwargs)
    of_request = Session(daemon=url, verify=False, headers=HEADERS)
    of_session = Session(daemon=url, verify=False, headers=HEADERS, **kwargs)
    assert face(lambda u: of_request.get(u, **kwargs)) == wanted
    assert face(of_session.get) == wanted
    with_stream = face(lambda u: of_session.get(u, stream=True).close())
    assert with_stream == wanted
    assert face(lambda u: list(of_session.gather([u]))) == wanted


@pytest.mark.parametrize("name", CASES)
def test_asynchronously_too(url, face, name):
    async def get(u):
        async with AsyncSession(daemon=url, verify=False, headers=HEADERS) as session:
            return await session.get(u, **CASES[name])

    assert face(lambda u: asyncio.run(get(u))) == expected(face, CASES[name])


def test_a_requests_parameter_replaces_the_sessions(url, face):
    session = Session(daemon=url, verify=False, headers=HEADERS, ja3=JA3, akamai=AKAMAI,
                      extra_fp={"tls_grease": True})
    own = {"ja3": OTHER_JA3, "extra_fp": ExtraFingerprints(http2_stream_weight=7)}
    assert face(lambda u: session.get(u, **own)) == expected(face, {"akamai": AKAMAI, **own})
    assert session.keys()["fingerprint"]["ja3"] == JA3


@pytest.mark.parametrize("kwargs", [
    {"ja3": "771,1,0,29,0"}, {"akamai": "7:1|0|0|masp"}, {"perk": "x|y|z"},
    {"extra_fp": {"tls_cert_compression": "gzip"}}])
def test_what_cannot_be_sent_is_an_impersonate_error(url, kwargs):
    with pytest.raises(exceptions.ImpersonateError, match="^fingerprint.") as caught:
        Session(daemon=url).get("http://127.0.0.1:9/", **kwargs)
    assert caught.value.reason == "bad_request"


def test_a_plain_libcurl_is_told_by_name():
    with pytest.raises(exceptions.ImpersonateError, match="^fingerprint.ja3: .*CURLEW_LIBCURL"):
        Session().get("http://127.0.0.1:9/", ja3=JA3)


def test_a_detail_that_nobody_knows_is_a_type_error():
    for module in (curl_cffi, django_curlew):
        with pytest.raises(TypeError):
            module.get("http://127.0.0.1:9/", extra_fp={"tls_max_version": 1})
    with pytest.raises(TypeError, match="ja3"):
        django_curlew.get("http://127.0.0.1:9/", ja3=771)
    with pytest.raises(ValueError, match="CurlSslVersion"):
        django_curlew.get("http://127.0.0.1:9/", extra_fp={"tls_min_version": 99})
