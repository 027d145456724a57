"""The same calls against curl_cffi and against us, on the same origin: the same responses."""

from io import BytesIO
from urllib.parse import quote

import pytest
from parity import OURS, THEIRS, echoed, facts, header_facts, run_async, run_sync

from django_curlew import daemon as daemon_client
from tests.support.scripted_origin import ScriptedOrigin

PAGES = ["/hello", "/status/404", "/status/500?reason=Oh%20dear", "/status/204", "/redirect/3",
         "/bytes/70000", "/bytes/70000?chunked=1", "/gzip", "/br", "/deflate", "/odd-headers",
         "/charset/utf-8", "/charset/iso-8859-1", "/charset/shift_jis", "/charset/windows-1251",
         "/charset/utf-8?declare=no", "/charset/iso-8859-1?declare=no", "/charset/utf-16",
         "/binary", "/raw?hex=", "/until-close", "/etag", "/headers/20",
         "/cookies/set?a=1&b=2", "/redirect-to?url=/hello&status=301",
         "/redirect-to?url=/hello&status=307",
         "/cookies/raw?c=" + quote("x=1; Path=/p; Secure; Max-Age=100"),
         "/cookies/raw?c=" + quote('q="a b"; Path=/')]


@pytest.fixture(params=[run_sync, run_async], ids=["Session", "AsyncSession"])
def agree(request, origin):
    """agree(program) runs program(lib, session, url) on each and checks that they agree."""
    def check(program):
        theirs = request.param(THEIRS, program, origin.url)
        ours = request.param(OURS, program, origin.url)
        assert ours == theirs
        return ours

    return check


@pytest.mark.parametrize("page", PAGES)
def test_a_page(agree, page):
    agree(lambda lib, s, url: facts(s.get(url(page))))


def test_trailers_stand_apart(agree, origin):
    """curl_cffi has them among the headers, where RFC 9110 says they must not be."""
    def program(lib, s, url):
        response = s.get(url("/trailers"))
        if lib is OURS:
            assert response.envelope["trailers"] == [["X-Sum", "7"]]
            assert "x-sum" not in response.headers
        return response.content

    agree(program)


@pytest.mark.parametrize("method", ["get", "head", "options", "delete", "put", "patch", "post",
                                    "trace", "query"])
def test_a_method(agree, method):
    agree(lambda lib, s, url: facts(getattr(s, method)(url("/hello"))))
    if method != "head":
        agree(lambda lib, s, url: echoed(getattr(s, method)(url("/echo"))))


BODIES = {
    "form": {"data": {"a": "1", "b": "ü &"}}, "pairs": {"data": [("a", "1"), ("a", "2")]},
    "text": {"data": "plain ü"}, "bytes": {"data": b"\x00\xff raw"}, "empty": {"data": b""},
    "content": {"content": b"raw"}, "content-text": {"content": "text"},
    "iterable": {"content": [b"a", b"b"]},
    "json": {"json": {"a": [1, None, "ü"]}}, "json-list": {"json": []},
    "json-with-type": {"json": {}, "headers": {"content-type": "application/x"}},
    "form-with-type": {"data": {"a": "1"}, "headers": {"Content-Type": "x/y"}},
}


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
@pytest.mark.parametrize("name", [b for b in BODIES if b != "iterable"])
def test_a_body(agree, method, name):
    agree(lambda lib, s, url: echoed(s.request(method, url("/echo"), **BODIES[name])))


def test_bodies_that_are_read(agree):
    agree(lambda lib, s, url: echoed(s.post(url("/echo"), data=BytesIO(b"from a file"))))
    agree(lambda lib, s, url: echoed(s.post(url("/echo"), content=iter([b"a", b"b"])))["body"])
    agree(lambda lib, s, url: echoed(s.post(url("/echo"), content=BytesIO(b"a")))["body"])
    agree(lambda lib, s, url: s.post(url("/echo"), data=7))


def test_request_shows_what_was_sent(agree):
    agree(lambda lib, s, url: [s.post(url("/echo"), **b).request.body for b in BODIES.values()])


URLS = ["/echo?q=a b", "/echo?q=ü&x=%C3%BC", "/echo/%7Euser/%2F", "/echo?a=1&a=2&b",
        "/echo?x={y}|z", "/echo/ä/b", "/echo?bad=%zz", "/echo?a+b=c", "/echo#fragment"]


@pytest.mark.parametrize("path", URLS)
def test_a_url(agree, path):
    agree(lambda lib, s, url: echoed(s.get(url(path)))["target"])


@pytest.mark.parametrize("params", [
    {"a": 1}, {"a": "ü &="}, {"a": [1, 2]}, {"a": True}, {"a": {"b": 1}}, [("a", 1), ("a", 2)],
    {"q": "new"}, {"empty": ""}])
def test_params(agree, params):
    pages = ("/echo", "/echo?q=old&x=1", "/echo?q=1&q=2")
    agree(lambda lib, s, url: [echoed(s.get(url(p), params=params))["target"] for p in pages])


@pytest.mark.parametrize("characters", ["", "!,", False])
def test_quote(agree, characters):
    agree(lambda lib, s, url: echoed(s.get(url("/echo/a!b?x=c,d"), quote=characters))["target"])


HEADERS = [{"X-A": "1"}, {"X-A": ""}, {"Accept": None}, {"accept": "text/html"}, {"X-N": 5},
           {"User-Agent": "me"}, [("X-A", "1"), ("X-A", "2")], ["X-A: 1", "X-B: two words"],
           {"Host": "other.example"}, {"Cookie": "a=b"}, {b"X-Bytes": b"v"}]


@pytest.mark.parametrize("headers", HEADERS)
def test_headers(agree, headers):
    agree(lambda lib, s, url: echoed(s.get(url("/echo"), headers=headers))["headers"])
    agree(lambda lib, s, url: header_facts(s.get(url("/echo"), headers=headers).request.headers))


def test_headers_of_the_session_and_of_the_request(agree):
    def program(lib, s, url):
        s.headers.update({"X-S": "s", "X-Both": "s"})
        r = echoed(s.get(url("/echo"), headers={"x-both": "r", "X-R": "r"}))["headers"]
        return r, echoed(s.get(url("/echo"), headers={"X-S": None}))["headers"]
    agree(program)


@pytest.mark.parametrize("kwargs", [
    {"referer": "http://r.example/"}, {"accept_encoding": "gzip"}, {"accept_encoding": None},
    {"auth": ("u", "p:ü")}, {"http_version": "v1"}, {"cookies": {"a": "1", "b": "x y"}},
    {"default_headers": False}, {"max_recv_speed": 1 << 20}, {"verify": False}])
def test_a_parameter(agree, kwargs):
    agree(lambda lib, s, url: echoed(s.get(url("/echo"), **kwargs)))


def test_accept_encoding_none_leaves_the_body_encoded(agree):
    content = agree(lambda lib, s, url: s.get(url("/gzip"), accept_encoding=None).content)
    assert content[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("kwargs", [
    {"allow_redirects": False}, {"max_redirects": 2}, {"max_redirects": 3}, {"max_redirects": 0},
    {"max_redirects": -1}, {"allow_redirects": True}])
def test_redirects(agree, kwargs):
    agree(lambda lib, s, url: facts(s.get(url("/redirect/3"), **kwargs)))


@pytest.mark.parametrize("location", [
    b"/b", b"c?x=1", b"?x=1#f", b"../d", b"//other.test/e", b"https://other.test", b"/a b",
    b"/\xe4", b"/\xc3\xa4", b"mailto:a@b.test", b"http://["])
def test_the_url_of_a_redirect_that_is_not_followed(location):
    def redirects(request, connection):
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n"
        connection.send(head % location)

    with ScriptedOrigin(redirects) as origin:
        ours, theirs = (run_sync(lib, lambda _, s: s.get(
            origin.url("/x/y"), allow_redirects=False).redirect_url) for lib in (OURS, THEIRS))
    assert ours == theirs


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_that_is_redirected(agree, status):
    path = f"/redirect-to?status={status}&url=/echo"
    agree(lambda lib, s, url: echoed(s.post(url(path), data={"a": "1"}))["method"])


@pytest.mark.parametrize("page", [
    "/close-early", "/reset", "/garbage", "/chunked-broken", "/chunked-short",
    "/bad-gzip", "/bad-length"])
def test_an_origin_that_misbehaves(agree, page):
    """On a new connection, as curl_cffi's: libcurl 8.14 has another code for bytes that are not
    HTTP on one that has carried HTTP before."""
    reset = daemon_client.current().exchange("POST", "/v1/sessions/default/reset", timeout=5)
    assert reset.status == 204
    result = agree(lambda lib, s, url: facts(s.get(url(page)))["status_code"])
    assert result[0] == "raised"


def test_an_origin_that_hangs_up(agree):
    """Whether that is noticed while sending (55) or while receiving (52) is a matter of chance."""
    assert agree(lambda lib, s, url: kind_of_failure(s, url("/hang-up"))) == "ConnectionError"


def kind_of_failure(session, url):
    try:
        return session.get(url).status_code
    except Exception as err:
        return type(err).__name__


@pytest.mark.parametrize("address", [
    "http://127.0.0.1:1/", "http://nowhere.invalid/"])
def test_an_address_that_leads_nowhere(agree, address):
    result = agree(lambda lib, s, url: s.get(address).status_code)
    assert result[0] == "raised"


@pytest.mark.parametrize("kwargs", [{"timeout": 0.3}, {"timeout": (0.1, 0.2)}])
def test_a_timeout(agree, kwargs):
    assert agree(lambda lib, s, url: s.get(url("/silent"), **kwargs).status_code)[1] == "Timeout"


def test_raise_for_status(agree):
    agree(lambda lib, s, url: s.get(url("/status/404")).raise_for_status())
    agree(lambda lib, s, url: s.get(url("/hello")).raise_for_status())

    def of_the_session(lib, s, url):
        getattr(s, "session", s).raise_for_status = True
        return s.get(url("/status/500"))
    assert agree(of_the_session)[1] == "HTTPError"


def test_certificates(agree, origin):
    name = agree(lambda lib, s, url: s.get(url("/hello", port="elsewhere")).status_code)
    assert name[:2] == ("raised", "CertificateVerifyError")
    agree(lambda lib, s, url: s.get(url("/hello", port="elsewhere"), verify=False).text)


def test_http_2(agree):
    r = agree(lambda lib, s, url: facts(s.get(url("/hello", port="h2"), verify=False)))
    assert r["http_version"] == 3


def test_a_closed_session(agree):
    def program(lib, s, url):
        s.close()
        return s.get(url("/hello"))
    assert agree(program)[1] == "SessionClosed"


@pytest.mark.parametrize("kwargs", [{"proxy": "x", "proxies": {"all": "y"}}, {"nonsense": 1}])
def test_invalid_calls(agree, kwargs):
    assert agree(lambda lib, s, url: s.get(url("/hello"), **kwargs))[1] == "TypeError"


def test_json_and_its_arguments(agree):
    agree(lambda lib, s, url: s.post(url("/echo"), json={"a": 1.5}).json(parse_float=str)["method"])
    agree(lambda lib, s, url: s.get(url("/hello")).json())


def test_encoding_may_be_set_until_text_was_read(agree):
    def program(lib, s, url):
        r = s.get(url("/charset/iso-8859-1?declare=no"))
        r.encoding = "iso-8859-1"
        text = r.text
        r.encoding = "utf-8"
        return text
    assert agree(program)[1] == "ValueError"
    agree(lambda lib, s, url: s.get(url("/charset/iso-8859-1?declare=no"),
                                   default_encoding=lambda content: "iso-8859-1").text)
    agree(lambda lib, s, url: s.get(url("/hello"), default_encoding="ascii").encoding)
