"""Parameters: what becomes of each on its way to the daemon, and what is refused with a reason."""

import json

import pytest

from django_curlew import (
    AsyncSession, CurlFollow, CurlHttpVersion, CurlMime, CurlOpt, Session, exceptions)
from django_curlew.requests import RetryStrategy
from django_curlew.requests.parameters import MAX_TIMEOUT
from django_curlew.requests.prepared_request import PreparedRequest


def keys(url="http://a/", session=None, method="GET", **kwargs):
    """The request object for the daemon, without its URL and usual timeout."""
    document = json.loads(PreparedRequest(session or Session(), method, url, kwargs).to_json())
    del document["url"]
    if document.get("timeout") == {"connect": 30, "total": 30}:
        del document["timeout"]
    return document


def test_a_plain_get_has_no_key_but_its_url():
    assert keys() == {}


@pytest.mark.parametrize("timeout, key", [
    (5, {"connect": 5, "total": 5}), (0.5, {"connect": 0.5, "total": 0.5}),
    ((1, 2), {"connect": 1, "total": 3}), (None, {"connect": 300, "total": MAX_TIMEOUT}),
    (0, {"connect": 300, "total": MAX_TIMEOUT}), ((0, 0), {"connect": 300, "total": MAX_TIMEOUT}),
    ((0, 2), {"connect": 300, "total": 2}), ((2, 0), {"connect": 2, "total": 2}),
    (1e9, {"connect": MAX_TIMEOUT, "total": MAX_TIMEOUT})])
def test_timeouts(timeout, key):
    assert keys(timeout=timeout)["timeout"] == key
    assert keys(session=Session(timeout=timeout))["timeout"] == key


@pytest.mark.parametrize("timeout, key", [
    (5, {"connect": 5, "idle": 5}), ((1, 2), {"connect": 1, "idle": 3}), (None, {"connect": 300}),
    ((0, 0), {"connect": 300}), ((0, 2), {"connect": 300, "idle": 2})])
def test_timeouts_of_a_stream_limit_the_time_without_a_byte(timeout, key):
    document = keys(timeout=timeout, stream=True)
    assert document == {"timeout": key, "decompress": True}


@pytest.mark.parametrize("timeout", [1e9, 10**12, (0, 5), (0, 0), (1e6, 1e6)])
@pytest.mark.parametrize("stream", [False, True])
def test_the_daemon_takes_what_curl_cffi_takes(origin, timeout, stream):
    response = Session().get(origin.url("/hello"), timeout=timeout, stream=stream)
    assert response.status_code == 200
    response.close()


@pytest.mark.parametrize("arguments", [
    {"max_redirects": 101}, {"max_redirects": 10**9}, {"retry": 101},
    {"retry": RetryStrategy(3, delay=1000)}, {"retry": RetryStrategy(3, jitter=1e6)}])
def test_the_daemon_takes_any_number_that_curl_cffi_takes(origin, arguments):
    assert Session().get(origin.url("/redirect/2"), **arguments).redirect_count == 2


@pytest.mark.parametrize("timeout", ["5", True, object()])
def test_invalid_timeouts(timeout):
    with pytest.raises(TypeError):
        keys(timeout=timeout)


def test_the_clients_timeout_is_a_little_longer_than_the_daemons():
    assert PreparedRequest(Session(), "GET", "http://a/", {"timeout": 2}).timeout == 7
    assert PreparedRequest(Session(), "GET", "http://a/", {}).timeout == 35
    assert PreparedRequest(Session(name="s"), "GET", "http://a/", {}).timeout == 3600


def test_a_named_session_leaves_its_defaults_to_the_daemon():
    assert keys(session=Session(name="scraper")) == {"session": "scraper"}
    named = Session(name="scraper", timeout=3)
    assert keys(session=named) == {"session": "scraper", "timeout": {"connect": 3, "total": 3}}
    document = keys(session=Session(name="s"), allow_redirects=True, verify=True, max_redirects=30)
    assert document == {
        "session": "s", "follow_redirects": True, "verify": True, "max_redirects": 30}


@pytest.mark.parametrize("kwargs, document", [
    ({"allow_redirects": False}, {"follow_redirects": False}),
    ({"allow_redirects": "safe"}, {"redirects_public_only": True}),
    ({"allow_redirects": CurlFollow.SAFE}, {"redirects_public_only": True}),
    ({"allow_redirects": CurlFollow.ALL}, {}), ({"max_redirects": -1}, {"max_redirects": 100}),
    ({"max_redirects": 5}, {"max_redirects": 5}), ({"verify": False}, {"verify": False}),
    ({"http_version": "v1"}, {"http_version": "1.1"}),
    ({"http_version": CurlHttpVersion.V1_1}, {"http_version": "1.1"}),
    ({"http_version": "v2"}, {"http_version": "2"}),
    ({"http_version": "v2tls"}, {"http_version": "auto"}),
    ({"http_version": "v2_prior_knowledge"}, {"http_version": "2-prior-knowledge"}),
    ({"http_version": "v3"}, {"http_version": "3"}),
    ({"http_version": "v3only"}, {"http_version": "3-only"}),
    ({"http_version": CurlHttpVersion.V3ONLY}, {"http_version": "3-only"}),
    ({"auth": ("u", "p")}, {"auth": {"basic": ["u", "p"]}}),
    ({"impersonate": "chrome"}, {"impersonate": "chrome"}),
    ({"ja3": "771,4865,0,29,0"}, {"fingerprint": {"ja3": "771,4865,0,29,0"}}),
    ({"akamai": "1:1|0|0|masp", "perk": "1:1|masp|"},
     {"fingerprint": {"akamai": "1:1|0|0|masp", "perk": "1:1|masp|"}}),
    ({"extra_fp": {"tls_grease": True}}, {"fingerprint": {"extra": {"tls_grease": True}}}),
    ({"ja3": "", "akamai": None, "extra_fp": {}}, {}),
    ({"coalesce": True}, {"coalesce": True}),
    ({"proxy": "http://h:1"}, {"proxy": "http://h:1"}),
    ({"proxy": "h:1"}, {"proxy": "http://h:1"}),
    ({"proxy": "socks5h://u:p%40@h:1"},
     {"proxy": "socks5h://h:1", "proxy_auth": ["u", "p@"]}),
    ({"proxies": {"https": "http://h:1"}}, {}),
    ({"headers": {"A": "1", "B": None}}, {"headers": [["A", "1"], ["B", None]]}),
    ({"retry": 0}, {})])
def test_of_a_request_and_of_a_session(kwargs, document):
    explicit = {k: v for k, v in {"follow_redirects": True}.items()
                if "allow_redirects" in kwargs and "follow_redirects" not in document}
    got = keys(**kwargs)
    got.pop("retries", None)
    assert got == {**explicit, **document}
    assert keys(session=Session(**kwargs)) == document
    assert keys(session=AsyncSession(**kwargs)) == document


def test_of_a_request_alone():
    assert keys(max_recv_speed=1000, tag="t", max_body_bytes=5, accept_encoding="gzip",
                referer="http://r/") == {
        "max_recv_speed": 1000, "tag": "t", "max_body_bytes": 5,
        "headers": [["Referer", "http://r/"], ["Accept-Encoding", "gzip"]]}
    assert keys(accept_encoding=None) == {"decompress": False}


def test_retries():
    assert keys(retry=2)["retries"] == {
        "max": 2, "methods": ["GET"], "backoff": 0.001, "max_backoff": 10.0, "statuses": []}
    strategy = RetryStrategy(count=3, delay=5, backoff="exponential")
    session = Session(retry=strategy, raise_for_status=True)
    assert keys(session=session, method="POST")["retries"] == {
        "max": 3, "methods": ["POST"], "backoff": 5, "max_backoff": 40.0,
        "statuses": list(range(400, 600))}
    assert keys(session=Session(retry=3), retry=0)["retries"] == 0
    many = keys(retry=RetryStrategy(count=1000, delay=1000))["retries"]
    assert (many["max"], many["backoff"], many["max_backoff"]) == (100, 1000, 3600)
    assert keys(retry=RetryStrategy(count=1, delay=1e6))["retries"]["backoff"] == 3600
    for wrong in (-1, RetryStrategy):
        with pytest.raises((ValueError, TypeError)):
            Session(retry=wrong)


def test_retries_are_made(origin):
    failing = origin.url("/close-early")
    origin.reset()
    with pytest.raises(exceptions.IncompleteRead):
        Session(retry=2).post(failing, data="x")
    arrived = [e for e in origin.events("/close-early") if e["event"] == "arrived"]
    assert len(arrived) == 3


# name: (a value, what the message says to use instead)
REFUSED = {
    "cert": (("c", "k"), "`client_cert`"), "interface": ("eth0", "`interface`"),
    "extra_fp": ({"split_cookies": True}, "split_cookies"),
    "dns": ("1.1.1.1", "`resolve`"), "doh_url": ("https://d", "Session(name="),
    "http_version": (CurlHttpVersion.V1_0, "use v1"),
    "allow_redirects": (CurlFollow.FIRSTONLY, "RFC 9110"), "impersonate": (object(), "'chrome'")}
OF_SESSIONS = {"curl": (object(), "leave it out"), "curl_share": (object(), "leave it out"),
               "curl_infos": ([1], "Response.envelope"),
               "curl_options": ({CurlOpt.LOCALPORT: 1}, "docs/client.md"),
               "cache": (60, "django.core.cache")}


@pytest.mark.parametrize("name", REFUSED)
def test_unsupported_parameters_raise_at_once_with_the_reason(name):
    value, word = REFUSED[name]
    for refused in (lambda: Session(**{name: value}), lambda: AsyncSession(**{name: value}),
                    lambda: Session().get("http://a/", **{name: value})):
        with pytest.raises(NotImplementedError, match=name) as caught:
            refused()
        assert word in str(caught.value)
        assert isinstance(caught.value, exceptions.RequestException)


@pytest.mark.parametrize("name", OF_SESSIONS)
def test_unsupported_values_of_a_session(name):
    value, word = OF_SESSIONS[name]
    with pytest.raises(exceptions.Unsupported, match=word):
        Session(**{name: value})


def test_changing_a_session_changes_its_requests():
    session = Session()
    assert keys(session=session) == {}
    session.verify = False
    session.auth = ("u", "p")
    assert keys(session=session) == {"verify": False, "auth": {"basic": ["u", "p"]}}
    session.verify = True
    session.auth = None
    assert keys(session=session) == {}
    with pytest.raises(exceptions.Unsupported):
        session.cert = "x"
        session.get("http://a/")


def test_files_and_multipart(origin, tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"from disk")
    form = CurlMime.from_list([{"name": "up", "local_path": str(file), "content_type": "text/x"},
                               {"name": "raw", "data": b"\x00\xff", "filename": "r.bin"}])
    with file.open("rb") as opened:
        document = Session().post(origin.url("/echo"), data={"field": "ü"}, multipart=form,
                              files={"f": opened, "g": ("g.txt", "text", "text/y")}).json()
    import base64
    body = base64.b64decode(document["body_base64"])
    assert dict(document["headers"])["Content-Type"].startswith("multipart/form-data; boundary=")
    for piece in (b'name="up"; filename="a.txt"\r\nContent-Type: text/x', b"from disk",
                  b'name="raw"; filename="r.bin"', b"\x00\xff", b'name="field"', "ü".encode(),
                  b'name="f"; filename="a.txt"', b'name="g"; filename="g.txt"', b"text/y"):
        assert piece in body, piece
    with pytest.raises(FileNotFoundError):
        form.addpart("x", local_path="/nowhere/at/all")
    with pytest.raises(ValueError):
        form.addpart("x", local_path=str(file), data=b"")
    with pytest.raises(TypeError, match="CurlMime"):
        Session().post("http://a/", multipart=object())


@pytest.mark.parametrize("body", [b"a\x00b", b"\xff\xfe", "a\x00b", b"", "\u2028 ü", b"\n" * 9])
def test_any_body_arrives_as_it_is(origin, body):
    import base64
    document = Session().put(origin.url("/echo"), data=body).json()
    raw = body.encode() if isinstance(body, str) else body
    assert base64.b64decode(document["body_base64"]) == raw
