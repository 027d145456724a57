"""`fingerprint`, with the libcurl-impersonate inside curl_cffi: what an origin sees of a request is
what it sees of curl_cffi's own with the same ja3, akamai and extra_fp."""

import json
import shutil
import warnings

import curl_cffi
import pytest

from tests.support.batch import parse_lines
from tests.support.curlewd import Curlewd
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import open_stream

CHROME = ("771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
          "0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17513-21,29-23-24,0")
OKHTTP = ("771,4865-4866-4867-49195-49196-52393-49199-49200-52392-49171-49172-156-157-47-53,"
          "0-23-65281-10-11-35-16-5-13-51-45-43,29-23-24,0")
FIREFOX = ("771,4865-4867-4866-49195-49199-52393-52392-49196-49200-49162-49161-49171-49172-156-157-"
           "47-53,0-23-65281-10-11-35-16-5-34-51-43-13-45-28,29-23-24-25-256-257,0")
SHORT = "771,4865-49195-49199,0-10-11-13-16-43-45-51,29-23,0"
NO_TICKETS = "771,4865-49195-49199,0-10-11-13-16-43-51,29-23,0"
FIREFOX_ALGORITHMS = ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512",
                      "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512",
                      "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_sha1",
                      "rsa_pkcs1_sha1"]

# Of curl_cffi: ja3, akamai, extra_fp, and impersonate.
CASES = {
    "chrome's hello": {"ja3": CHROME},
    "okhttp's": {"ja3": OKHTTP, "akamai": "4:16777216|16711681|0|m,p,a,s", "extra_fp": {
        "tls_signature_algorithms": FIREFOX_ALGORITHMS[:5]}},
    "firefox's": {"ja3": FIREFOX, "akamai": "1:65536;4:131072;5:16384|12517377|0|m,p,a,s",
                  "extra_fp": {
                      "tls_delegated_credential": "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"
                                                  "ecdsa_secp521r1_sha512:ecdsa_sha1",
                      "tls_record_size_limit": 16385, "http2_stream_weight": 42,
                      "http2_stream_exclusive": 0,
                      "tls_signature_algorithms": FIREFOX_ALGORITHMS}},
    "a short hello": {"ja3": SHORT},
    "commas between settings": {"akamai": "1:65536,2:0,3:1000,4:6291456,6:262144|15663105|0|masp"},
    "safari's frames": {"akamai": "2:0;3:100;4:2097152;9:1|10420225|0|m,s,a,p",
                        "extra_fp": {"http2_stream_weight": 256, "http2_no_priority": True}},
    "priorities": {"akamai": "1:65536;4:131072|12517377|3:0:0:201,5:0:0:101|m,p,a,s"},
    "grease": {"ja3": CHROME, "extra_fp": {"tls_grease": True}},
    "any order": {"ja3": CHROME, "extra_fp": {"tls_permute_extensions": True}},
    "compressed certificates": {"ja3": CHROME, "extra_fp": {"tls_cert_compression": "brotli"}},
    "two compressions": {"ja3": CHROME, "extra_fp": {"tls_cert_compression": "zlib,zstd"}},
    "weight and exclusive": {"extra_fp": {"http2_stream_weight": 220, "http2_stream_exclusive": 1}},
    "no priority": {"extra_fp": {"http2_no_priority": True}},
    "the order of headers": {"extra_fp": {"header_order": "x-b,user-agent,x-a"}},
    "tls 1.3 only": {"extra_fp": {"tls_min_version": 7}},
    "chrome, changed": {"impersonate": "chrome", "ja3": SHORT},
    "chrome with firefox's frames": {"impersonate": "chrome",
                                     "akamai": "1:65536;4:131072|12517377|0|m,p,a,s"},
    "safari with grease off": {"impersonate": "safari", "extra_fp": {"tls_grease": False}},
    "firefox, in another order": {"impersonate": "firefox",
                                  "extra_fp": {"header_order": "x-b,accept,user-agent"}},
}
HEADERS = [("X-A", "1"), ("User-Agent", "mine"), ("X-B", "2"), ("Accept-Encoding", "gzip")]
TLS_VERSIONS = {4: "1.0", 5: "1.1", 6: "1.2", 7: "1.3"}


@pytest.fixture(scope="module")
def daemon():
    d = Curlewd({"threads": 1, "sessions": {"fox": {"fingerprint": {"ja3": FIREFOX}}}},
                env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


def keys_of(case):
    """The request object's."""
    fingerprint = {k: case[k] for k in ("ja3", "akamai") if k in case}
    if "extra_fp" in case:
        extra = fingerprint["extra"] = dict(case["extra_fp"])
        if "tls_min_version" in extra:
            extra["tls_min_version"] = TLS_VERSIONS[extra["tls_min_version"]]
        if "http2_stream_exclusive" in extra:
            extra["http2_stream_exclusive"] = bool(extra["http2_stream_exclusive"])
    keys = {"fingerprint": fingerprint, "headers": HEADERS, "verify": False}
    return {**keys, "impersonate": case["impersonate"]} if "impersonate" in case else keys


def by_fetch(client, url, keys):
    return client.fetch(url, **keys)["body"]


def by_batch(client, url, keys):
    body = json.dumps({"requests": [{"url": url, **keys}]}).encode()
    envelope, = parse_lines(client.ask("POST", "/v1/batch", body=body).body)
    return envelope["body"]


def by_stream(client, url, keys):
    with open_stream(client, url=url, **keys) as stream:
        return stream.read_all().decode()


@pytest.fixture(scope="module")
def own(certs):
    """What an origin sees of curl_cffi, by case; asked for once."""
    seen = {}

    def look(name):
        if name not in seen:
            with FingerprintOrigin(certs) as origin, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                curl_cffi.get(origin.url(), verify=False, headers=HEADERS, **CASES[name])
                seen[name] = origin.seen[0]
        return seen[name]

    return look


def face(seen, permuted=False):
    hello = seen.hello
    # Extensions that have more to tell than that they are there.
    details = {k: hello.extension(k) for k in (11, 13, 16, 27, 28, 34, 43, 45)}
    details[43] = hello.has_grease or details[43]  # random numbers are among them
    ja3 = hello.ja3()
    if permuted:
        ja3 = [sorted(field.split("-")) for field in ja3.split(",")]
    headers = [(n, "" if n == ":authority" else v) for n, v in seen.headers]
    return ja3, hello.ja4(), details, hello.has_grease, seen.akamai, headers


def is_permuted(name):
    case = CASES[name]
    return case.get("extra_fp", {}).get("tls_permute_extensions") or "impersonate" in case


# -- the face -----------------------------------------------------------------


@pytest.mark.parametrize("fetch", [by_fetch, by_batch, by_stream])
@pytest.mark.parametrize("name", CASES)
def test_an_origin_sees_what_it_sees_of_curl_cffi(daemon, own, certs, fetch, name):
    with FingerprintOrigin(certs) as origin:
        assert fetch(daemon.client, origin.url(), keys_of(CASES[name])) == "ok"
        assert face(origin.seen[0], is_permuted(name)) == face(own(name), is_permuted(name))


@pytest.mark.parametrize("ja3", [OKHTTP, FIREFOX, SHORT])
def test_the_hello_is_the_one_that_was_asked_for(daemon, certs, ja3):
    with FingerprintOrigin(certs) as origin:
        by_fetch(daemon.client, origin.url(), keys_of({"ja3": ja3}))
        version, ciphers, extensions, groups, formats = origin.seen[0].ja3.split(",")
    wanted = ja3.split(",")
    missing = {"5", "28", "34"}  # as of curl_cffi: sent where a browser or `extra` has them
    assert extensions == "-".join(k for k in wanted[2].split("-") if k not in missing)
    assert set(wanted[1].split("-")) <= set(ciphers.split("-"))
    assert [version, groups, formats] == [wanted[0], wanted[3], wanted[4]]


def test_no_window_update_is_none(daemon, certs):
    """curl_cffi sends Chrome's then."""
    with FingerprintOrigin(certs) as origin:
        by_fetch(daemon.client, origin.url(), keys_of({"akamai": "1:4096|0|0|m,p,a,s"}))
        assert origin.seen[0].akamai.startswith("1:4096|0|")


def test_an_http_version_of_the_requests_own_wins(daemon, certs):
    with FingerprintOrigin(certs) as origin:
        keys = keys_of({"akamai": "1:65536|15663105|0|m,p,a,s"})
        by_fetch(daemon.client, origin.url(), {**keys, "http_version": "1.1"})
        assert origin.seen[0].protocol == "http/1.1"


def test_nothing_gives_the_daemon_away(daemon, certs):
    trace = [("X-Request-ID", "a-1"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")]
    with FingerprintOrigin(certs) as origin:
        request = {"url": origin.url(), "verify": False, "fingerprint": {"ja3": OKHTTP}}
        daemon.client.post(request, trace)
        names = {name for name, _ in origin.seen[0].headers}
    assert not names & {"user-agent", "accept", "x-request-id", "traceparent"}


@pytest.mark.parametrize("boundary,part", [("webkit", b"WebKitFormBoundary"),
                                             ("firefox", b"geckoformboundary")])
def test_a_forms_boundary_may_be_a_browsers(daemon, boundary, part):
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        daemon.client.fetch(origin.url(), multipart=[{"name": "a", "value": "1"}],
                            fingerprint={"extra": {"form_boundary": boundary}})
        assert part in origin.requests[0].body.split(b"\r\n")[0]


# -- identities -----------------------------------------------------------------


def test_nothing_of_a_fingerprint_stays_on_a_handle(daemon, certs):
    """One engine thread, one fetch after another: its one easy handle is used again and again."""
    with FingerprintOrigin(certs, once=True) as origin:
        plain = {"verify": False, "headers": HEADERS}
        by_fetch(daemon.client, origin.url(), plain)
        for name in CASES:
            by_fetch(daemon.client, origin.url(), keys_of(CASES[name]))
            by_fetch(daemon.client, origin.url(), plain)
            assert face(origin.seen[-1]) == face(origin.seen[0]), name


def test_fingerprints_do_not_share_connections(daemon, certs):
    extra = {"extra": {"http2_stream_weight": 42}}
    faces = [{}, {"ja3": OKHTTP}, {"ja3": SHORT}, {"akamai": "4:131072|12517377|0|m,p,a,s"},
             {"akamai": "4:131072|12517378|0|m,p,a,s"}, extra,
             {"extra": {"http2_stream_weight": 43}}, {"extra": {"http2_no_priority": True}},
             {"ja3": OKHTTP, **extra}]
    with FingerprintOrigin(certs) as origin:
        for expected in (False, True):
            for face_ in faces:
                fetched = daemon.client.fetch(origin.url(), verify=False, fingerprint=face_)
                assert fetched["connection"]["reused"] == expected, face_
        assert len(origin.seen) == len(faces)
        with_browser = {"impersonate": "chrome", "fingerprint": {"ja3": OKHTTP}}
        fetched = daemon.client.fetch(origin.url(), verify=False, **with_browser)
        assert not fetched["connection"]["reused"]


def test_fingerprints_do_not_share_tickets(daemon, certs):
    faces = [{"ja3": OKHTTP}, {"ja3": SHORT}, {"ja3": SHORT, "akamai": "4:99999|9|0|m,p,a,s"},
             {"extra": {"http2_stream_weight": 42}}, {}]
    with FingerprintOrigin(certs, once=True) as origin:
        for expected in (False, True):
            for face_ in faces:
                daemon.client.fetch(origin.url(host="127.0.0.1"), verify=False, fingerprint=face_)
                seen = origin.seen[-1]
                assert (seen.hello.offers_ticket, seen.resumed) == (expected, expected), face_


def test_a_hello_that_cannot_resume_does_not(daemon, certs):
    """A TLS 1.3 ticket needs the extension psk_key_exchange_modes (RFC 8446 4.2.9)."""
    with FingerprintOrigin(certs, once=True) as origin:
        for _ in range(3):
            by_fetch(daemon.client, origin.url(), keys_of({"ja3": NO_TICKETS}))
        assert not any(seen.hello.offers_ticket or seen.resumed for seen in origin.seen)


def test_only_one_fingerprints_fetches_are_coalesced(daemon, origin):
    one, other = {"extra": {"http2_stream_weight": 1}}, {"extra": {"http2_stream_weight": 2}}
    requests = [{"url": origin.url("/delay/0.5?face"), "coalesce": True, "fingerprint": face_}
                for face_ in (one, one, other)]
    response = daemon.client.ask("POST", "/v1/batch", body=json.dumps(
        {"requests": requests}).encode())
    coalesced = {e["index"]: e["coalesced"] for e in parse_lines(response.body)}
    assert sorted([coalesced[0], coalesced[1]]) == [False, True] and not coalesced[2]


# -- sessions ---------------------------------------------------------------------


def test_a_session_may_set_the_fingerprint(daemon, certs):
    with FingerprintOrigin(certs) as origin:
        for keys in ({}, {"fingerprint": {"akamai": "4:131072|12517377|0|m,p,a,s"}},
                     {"fingerprint": {"ja3": SHORT}}):
            daemon.client.fetch(origin.url(), verify=False, session="fox", **keys)
        first, second, third = origin.seen
    assert first.ja3 == second.ja3 != third.ja3
    assert second.akamai.startswith("4:131072|12517377|")
    assert daemon.client.get("/v1/sessions/fox").json()["fingerprint"] == {"ja3": FIREFOX}


def test_a_session_shows_what_it_was_given(daemon):
    fingerprint = {"ja3": CHROME, "akamai": "1:65536,2:0|15663105|3:0:0:201|m,a,s,p",
                   "perk": "1:65536;7:100;GREASE|masp|1:30000;4:15728640;GREASE",
                   "extra": {"tls_min_version": "1.2", "tls_grease": False,
                             "tls_permute_extensions": True, "tls_cert_compression": "zlib,brotli",
                             "tls_signature_algorithms": FIREFOX_ALGORITHMS,
                             "tls_delegated_credential": "ecdsa_sha1:ed25519",
                             "tls_record_size_limit": 16385, "http2_stream_weight": 42,
                             "http2_stream_exclusive": True, "http2_no_priority": False,
                             "header_order": "host,x-a", "form_boundary": "webkit",
                             "http3_sig_hash_algs": "ed25519,rsa_pkcs1_sha256",
                             "http3_tls_extension_order": "0-10-51",
                             "quic_initial_packet_number": 0}}
    url = "/v1/sessions/worn"
    for _ in range(2):
        body = json.dumps({"fingerprint": fingerprint}).encode()
        assert daemon.client.ask("PUT", url, body=body).status in (201, 200, 204)
        shown = daemon.client.get(url).json()["fingerprint"]
        assert shown == fingerprint


def test_a_sessions_tls_min_stays_the_least(daemon, certs):
    body = json.dumps({"tls_min": "1.3", "verify": False}).encode()
    daemon.client.ask("PUT", "/v1/sessions/new-tls", body=body)
    with FingerprintOrigin(certs) as origin:
        for fingerprint in ({}, {"ja3": OKHTTP}, {"extra": {"tls_min_version": "1.2"}}):
            daemon.client.fetch(origin.url(), session="new-tls", fingerprint=fingerprint)
        assert [seen.hello.extension(43) for seen in origin.seen] == [b"\2\3\4"] * 3


# -- refusals ---------------------------------------------------------------------


HOSTILE = {
    "fingerprint: expected an object": "chrome",
    'unknown key "fingerprint.ja4"': {"ja4": "t13d"},
    "fingerprint.ja3: expected a string": {"ja3": 771},
    "fingerprint.ja3: must not be empty": {"ja3": ""},
    "these are 4 of 5 fields": {"ja3": "771,4865,0,29"},
    "fingerprint.ja3: version: only 771": {"ja3": "772,4865,0,29,0"},
    "fingerprint.ja3: cipher 4 is not known": {"ja3": "771,4865-4,0,29,0"},
    "fingerprint.ja3: cipher: expected numbers": {"ja3": "771,4865-,0,29,0"},
    "fingerprint.ja3: cipher 4865 is there twice": {"ja3": "771,4865-4865,0,29,0"},
    "fingerprint.ja3: cipher 2570 is GREASE": {"ja3": "771,2570-4865,0,29,0"},
    "fingerprint.ja3: extension 99 is not known": {"ja3": "771,4865,0-99,29,0"},
    "fingerprint.ja3: extension: expected numbers up to 65535": {"ja3": "771,4865,65536,29,0"},
    "fingerprint.ja3: extension 21 (padding)": {"ja3": "771,4865,21-0,29,0"},
    "fingerprint.ja3: extension 41 (pre_shared_key)": {"ja3": "771,4865,0-41,29,0"},
    "fingerprint.ja3: group 19 is not known": {"ja3": "771,4865,0,29-19,0"},
    "fingerprint.ja3: point format: only 0": {"ja3": "771,4865,0,29,1"},
    "fingerprint.ja3: over 2048 bytes": {"ja3": "771," + "4865-" * 500},
    "fingerprint.akamai: expected settings|": {"akamai": "1:1|2"},
    "fingerprint.akamai: settings: expected id:value": {"akamai": "|0|0|masp"},
    "fingerprint.akamai: settings: expected id:value ": {"akamai": "1|0|0|masp"},
    "fingerprint.akamai: setting 10 is not known": {"akamai": "10:5|0|0|masp"},
    "fingerprint.akamai: setting 4: expected 0 to 16777216": {"akamai": "4:16777217|0|0|masp"},
    "fingerprint.akamai: setting 2: expected 0 to 1": {"akamai": "2:2|0|0|masp"},
    "fingerprint.akamai: over 8 settings": {"akamai": ";".join(["1:1"] * 9) + "|0|0|masp"},
    "fingerprint.akamai: window update": {"akamai": "1:1|2147483647|0|masp"},
    "fingerprint.akamai: window update: ": {"akamai": "1:1|-1|0|masp"},
    "fingerprint.akamai: priorities": {"akamai": "1:1|0|3:0:0|masp"},
    "fingerprint.akamai: priorities: ": {"akamai": "1:1|0|3:2:0:1|masp"},
    "fingerprint.akamai: pseudo headers": {"akamai": "1:1|0|0|mmsp"},
    "fingerprint.akamai: pseudo headers: ": {"akamai": "1:1|0|0|m,,a,s,p"},
    "fingerprint.akamai: over 1023 bytes": {"akamai": "1:1|0|0|" + "," * 1020},
    "fingerprint.perk: expected settings|": {"perk": "1:1"},
    "fingerprint.perk: settings: expected GREASE or": {"perk": "x:1|masp|"},
    "fingerprint.perk: settings: 1: expected 0": {"perk": "1:x|masp|"},
    "fingerprint.perk: transport parameters: 4: expected": {"perk": "|masp|4:99999999999"},
    "fingerprint.perk: pseudo headers": {"perk": "1:1|mas|"},
    "fingerprint.extra: expected an object": {"extra": []},
    'unknown key "fingerprint.extra.tls_max"': {"extra": {"tls_max": 1}},
    "fingerprint.extra.tls_min_version: expected one of": {"extra": {"tls_min_version": 6}},
    "fingerprint.extra.tls_grease: expected true": {"extra": {"tls_grease": 1}},
    'fingerprint.extra.tls_cert_compression: "gzip"': {"extra": {"tls_cert_compression": "gzip"}},
    "fingerprint.extra.tls_signature_algorithms: expected a list": {
        "extra": {"tls_signature_algorithms": "ed25519"}},
    'fingerprint.extra.tls_signature_algorithms: "md5" is': {
        "extra": {"tls_signature_algorithms": ["md5"]}},
    'fingerprint.extra.tls_delegated_credential: "a" is': {
        "extra": {"tls_delegated_credential": "a:b"}},
    "fingerprint.extra.tls_record_size_limit: expected": {"extra": {"tls_record_size_limit": 63}},
    "fingerprint.extra.http2_stream_weight: expected": {"extra": {"http2_stream_weight": 257}},
    'fingerprint.extra.header_order: "a b" is': {"extra": {"header_order": "host,a b"}},
    'fingerprint.extra.header_order: "HOST" is there twice': {
        "extra": {"header_order": "host,HOST"}},
    "fingerprint.extra.form_boundary: expected one of": {"extra": {"form_boundary": "opera"}},
    "fingerprint.extra.http3_tls_extension_order: extension 99": {
        "extra": {"http3_tls_extension_order": "99"}},
}


@pytest.mark.parametrize("detail", HOSTILE)
def test_a_bad_value_is_refused_by_name(daemon, detail):
    p = daemon.client.refused({"url": "http://127.0.0.1/", "fingerprint": HOSTILE[detail]}, 400,
                              "bad_request")
    assert detail.strip() in p["detail"]


def test_an_error_of_a_session_names_it_too(daemon):
    response = daemon.client.ask("PUT", "/v1/sessions/bad",
                                 body=b'{"fingerprint": {"ja3": "771,1,0,29,0"}}')
    detail = json.loads(response.body)["detail"]
    assert response.status == 400 and detail == "fingerprint.ja3: cipher 1 is not known"


PLAIN = {
    "fingerprint.ja3: this libcurl has no option TLS_EXTENSION_ORDER": {"ja3": SHORT},
    "fingerprint.akamai: this libcurl has no option HTTP2_SETTINGS": {
        "akamai": "4:131072|12517377|0|m,p,a,s"},
    "fingerprint.perk: this libcurl has no option HTTP3_SETTINGS": {"perk": "1:1|masp|"},
    "fingerprint.extra.tls_grease: this libcurl has no option TLS_GREASE": {
        "extra": {"tls_grease": True}},
}


@pytest.fixture(scope="module")
def plain():
    d = Curlewd({}, env={"CURLEW_LIBCURL": None})
    if "IMPERSONATE" in d.client.get("/v1/status").json()["libraries"]["libcurl"]:
        d.stop()
        pytest.skip("built with libcurl-impersonate")
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.mark.parametrize("detail", PLAIN)
def test_a_plain_libcurl_is_told_apart(plain, detail):
    p = plain.client.refused({"url": "http://127.0.0.1/", "fingerprint": PLAIN[detail]}, 501,
                       "unsupported")
    assert p["detail"].startswith(detail) and "CURLEW_LIBCURL" in p["detail"]
