"""The same calls against curl_cffi and against us, on the same origin: the same responses."""

from io import BytesIO
from urllib.parse import quote

import pytest
from both import OURS, THEIRS, facts, header_facts, run_async, run_sync, sent

PAGES = ["/hello", "/status/404", "/status/500?reason=Oh%20dear", "/status/204", "/redirect/3",
         "/bytes/70000", "/bytes/70000?chunked=1", "/gzip", "/br", "/deflate", "/odd-headers",
         "/charset/utf-8", "/charset/iso-8859-1", "/charset/shift_jis", "/charset/windows-1251",
         "/charset/utf-8?declare=no", "/charset/iso-8859-1?declare=no", "/charset/utf-16",
         "/binary", "/raw?hex=", "/until-close", "/etag", "/headers/20", "/trailers",
         "/cookies/set?a=1&b=2", "/redirect-to?url=/hello&status=301",
         "/redirect-to?url=/hello&status=307",
         "/cookies/raw?c=" + quote("x=1; Path=/p; Secure; Max-Age=100"),
         "/cookies/raw?c=" + quote('q="a b"; Path=/')]


@pytest.fixture(params=[run_sync, run_async], ids=["Session", "AsyncSession"])
def both(request, origin):
    """both(program) runs program(lib, session, url) on each and checks that they agree."""
    def check(program):
        theirs = request.param(THEIRS, program, origin.url)
        ours = request.param(OURS, program, origin.url)
        assert ours == theirs
        return ours

    return check


@pytest.mark.parametrize("page", PAGES)
def test_a_page(both, page):
    both(lambda lib, s, url: facts(s.get(url(page))))


@pytest.mark.parametrize("method", ["get", "head", "options", "delete", "put", "patch", "post",
                                    "trace", "query"])
def test_a_method(both, method):
    both(lambda lib, s, url: facts(getattr(s, method)(url("/hello"))))
    if method != "head":
        both(lambda lib, s, url: sent(getattr(s, method)(url("/echo"))))


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
def test_a_body(both, method, name):
    both(lambda lib, s, url: sent(s.request(method, url("/echo"), **BODIES[name])))


def test_bodies_that_are_read(both):
    both(lambda lib, s, url: sent(s.post(url("/echo"), data=BytesIO(b"from a file"))))
    both(lambda lib, s, url: sent(s.post(url("/echo"), content=iter([b"a", b"b"])))["body"])
    both(lambda lib, s, url: sent(s.post(url("/echo"), content=BytesIO(b"a")))["body"])
    both(lambda lib, s, url: s.post(url("/echo"), data=7))


def test_request_shows_what_was_sent(both):
    both(lambda lib, s, url: [s.post(url("/echo"), **b).request.body for b in BODIES.values()])


URLS = ["/echo?q=a b", "/echo?q=ü&x=%C3%BC", "/echo/%7Euser/%2F", "/echo?a=1&a=2&b",
        "/echo?x={y}|z", "/echo/ä/b", "/echo?bad=%zz", "/echo?a+b=c", "/echo#fragment"]


@pytest.mark.parametrize("path", URLS)
def test_a_url(both, path):
    both(lambda lib, s, url: sent(s.get(url(path)))["target"])


@pytest.mark.parametrize("params", [
    {"a": 1}, {"a": "ü &="}, {"a": [1, 2]}, {"a": True}, {"a": {"b": 1}}, [("a", 1), ("a", 2)],
    {"q": "new"}, {"empty": ""}])
def test_params(both, params):
    pages = ("/echo", "/echo?q=old&x=1", "/echo?q=1&q=2")
    both(lambda lib, s, url: [sent(s.get(url(p), params=params))["target"] for p in pages])


@pytest.mark.parametrize("characters", ["", "!,", False])
def test_quote(both, characters):
    both(lambda lib, s, url: sent(s.get(url("/echo/a!b?x=c,d"), quote=characters))["target"])


HEADERS = [{"X-A": "1"}, {"X-A": ""}, {"Accept": None}, {"accept": "text/html"}, {"X-N": 5},
           {"User-Agent": "me"}, [("X-A", "1"), ("X-A", "2")], ["X-A: 1", "X-B: two words"],
           {"Host": "other.example"}, {"Cookie": "a=b"}, {b"X-Bytes": b"v"}]


@pytest.mark.parametrize("headers", HEADERS)
def test_headers(both, headers):
    both(lambda lib, s, url: sent(s.get(url("/echo"), headers=headers))["headers"])
    both(lambda lib, s, url: header_facts(s.get(url("/echo"), headers=headers).request.headers))


def test_headers_of_the_session_and_of_the_request(both):
    def program(lib, s, url):
        s.headers.update({"X-S": "s", "X-Both": "s"})
        r = sent(s.get(url("/echo"), headers={"x-both": "r", "X-R": "r"}))["headers"]
        return r, sent(s.get(url("/echo"), headers={"X-S": None}))["headers"]
    both(program)


@pytest.mark.parametrize("how", [
    {"referer": "http://r.example/"}, {"accept_encoding": "gzip"}, {"accept_encoding": None},
    {"auth": ("u", "p:ü")}, {"http_version": "v1"}, {"cookies": {"a": "1", "b": "x y"}},
    {"default_headers": False}, {"max_recv_speed": 1 << 20}, {"verify": False}])
def test_a_parameter(both, how):
    both(lambda lib, s, url: sent(s.get(url("/echo"), **how)))


def test_accept_encoding_none_leaves_the_body_encoded(both):
    content = both(lambda lib, s, url: s.get(url("/gzip"), accept_encoding=None).content)
    assert content[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("how", [
    {"allow_redirects": False}, {"max_redirects": 2}, {"max_redirects": 3}, {"max_redirects": 0},
    {"max_redirects": -1}, {"allow_redirects": True}])
def test_redirects(both, how):
    both(lambda lib, s, url: facts(s.get(url("/redirect/3"), **how)))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_that_is_redirected(both, status):
    path = f"/redirect-to?status={status}&url=/echo"
    both(lambda lib, s, url: sent(s.post(url(path), data={"a": "1"}))["method"])


@pytest.mark.parametrize("page", [
    "/close-early", "/reset", "/garbage", "/chunked-broken", "/chunked-short",
    "/bad-gzip", "/bad-length"])
def test_an_origin_that_misbehaves(both, page):
    result = both(lambda lib, s, url: facts(s.get(url(page)))["status_code"])
    assert result[0] == "raised"


def test_an_origin_that_hangs_up(both):
    """Whether that is noticed while sending (55) or while receiving (52) is a matter of chance."""
    assert both(lambda lib, s, url: kind_of_failure(s, url("/hang-up"))) == "ConnectionError"


def kind_of_failure(session, url):
    try:
        return session.get(url).status_code
    except Exception as why:
        return type(why).__name__


@pytest.mark.parametrize("address", [
    "http://127.0.0.1:1/", "http://nowhere.invalid/"])
def test_an_address_that_leads_nowhere(both, address):
    result = both(lambda lib, s, url: s.get(address).status_code)
    assert result[0] == "raised"


@pytest.mark.parametrize("how", [{"timeout": 0.3}, {"timeout": (0.1, 0.2)}])
def test_time_runs_out(both, how):
    assert both(lambda lib, s, url: s.get(url("/silent"), **how).status_code)[1] == "Timeout"


def test_raise_for_status(both):
    both(lambda lib, s, url: s.get(url("/status/404")).raise_for_status())
    both(lambda lib, s, url: s.get(url("/hello")).raise_for_status())

    def of_the_session(lib, s, url):
        getattr(s, "session", s).raise_for_status = True
        return s.get(url("/status/500"))
    assert both(of_the_session)[1] == "HTTPError"


def test_certificates(both, origin):
    name = both(lambda lib, s, url: s.get(url("/hello", port="elsewhere")).status_code)
    assert name[:2] == ("raised", "CertificateVerifyError")
    both(lambda lib, s, url: s.get(url("/hello", port="elsewhere"), verify=False).text)


def test_http_2(both):
    r = both(lambda lib, s, url: facts(s.get(url("/hello", port="h2"), verify=False)))
    assert r["http_version"] == 3


def test_a_closed_session(both):
    def program(lib, s, url):
        s.close()
        return s.get(url("/hello"))
    assert both(program)[1] == "SessionClosed"


@pytest.mark.parametrize("how", [{"proxy": "x", "proxies": {"all": "y"}}, {"nonsense": 1}])
def test_calls_that_make_no_sense(both, how):
    assert both(lambda lib, s, url: s.get(url("/hello"), **how))[1] == "TypeError"


def test_json_and_its_arguments(both):
    both(lambda lib, s, url: s.post(url("/echo"), json={"a": 1.5}).json(parse_float=str)["method"])
    both(lambda lib, s, url: s.get(url("/hello")).json())


def test_encoding_may_be_set_until_text_was_read(both):
    def program(lib, s, url):
        r = s.get(url("/charset/iso-8859-1?declare=no"))
        r.encoding = "iso-8859-1"
        text = r.text
        r.encoding = "utf-8"
        return text
    assert both(program)[1] == "ValueError"
    both(lambda lib, s, url: s.get(url("/charset/iso-8859-1?declare=no"),
                                   default_encoding=lambda content: "iso-8859-1").text)
    both(lambda lib, s, url: s.get(url("/hello"), default_encoding="ascii").encoding)
