"""Cookies from request to request, streams, proxies, pickles: the same on both."""

import pickle
from urllib.parse import quote

import pytest
from parity import OURS, THEIRS, cookie_facts, echoed, facts, header_facts, run_async, run_sync

from django_curlew import Session
from tests.support.scripted_origin import ScriptedOrigin, answer


@pytest.fixture(params=[run_sync, run_async], ids=["Session", "AsyncSession"])
def agree(request, origin):
    def check(program):
        theirs = request.param(THEIRS, program, origin.url)
        ours = request.param(OURS, program, origin.url)
        assert ours == theirs
        return ours

    return check


def raw(*lines):
    return "/cookies/raw?" + "&".join("c=" + quote(line, safe="") for line in lines)


STEPS = {
    "set": ["/cookies/set?a=1&b=2", "/cookies"],
    "delete": ["/cookies/set?a=1&b=2", "/cookies/delete?a=1", "/cookies"],
    "change": ["/cookies/set?a=1", "/cookies/set?a=2", "/cookies"],
    "path": [raw("a=1; Path=/cookies", "b=2; Path=/other"), "/cookies", "/echo"],
    "no path": [raw("a=1"), "/cookies", "/cookies/raw"],
    "delete by path": [raw("a=1; Path=/", "a=2; Path=/cookies"), raw("a=; Path=/; Max-Age=0"),
                       "/cookies"],
    "delete by date": ["/cookies/set?a=1", raw("a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
                       "/cookies"],
    "max-age": [raw("a=1; Path=/; Max-Age=1000"), "/cookies"],
    "domain": [raw("a=1; Domain=127.0.0.1; Path=/"), "/cookies"],
    "a stranger's domain": [raw("a=1; Domain=example.org; Path=/"), "/cookies"],
    "quoted": [raw('a="x y"; Path=/'), "/cookies"],
    "odd": [raw("=x; Path=/", "novalue", "a=b=c; path=/"), "/cookies"],
}


@pytest.mark.parametrize("name", STEPS)
def test_cookies_from_request_to_request(agree, name):
    def program(lib, s, url):
        results = []
        for step in STEPS[name]:
            r = s.get(url(step))
            body = r.json() if step == "/cookies" else None
            results.append((body, cookie_facts(r.cookies), cookie_facts(s.cookies)))
        return results
    agree(program)


def test_a_secure_cookie_of_http_is_not_kept(origin):
    """libcurl takes plain http to a loopback address for secure."""
    with Session() as s:
        s.get(origin.url(raw("a=1; Secure; Path=/")))
        assert not s.cookies


def test_a_secure_cookie_of_https_is_kept_and_sent_over_https_alone(origin):
    with Session(verify=False) as s:
        s.get(origin.url(raw("a=1; Secure; Path=/"), port="https"))
        assert cookie_facts(s.cookies) == [("a", "1", "127.0.0.1", "/", True, False)]
        assert s.get(origin.url("/cookies", port="https")).json() == {"a": "1"}
        assert s.get(origin.url("/cookies")).json() == {}


def test_bytes_that_are_not_utf_8_go_back_as_they_came():
    def script(request, connection):
        sent.append(next((v for n, v in request.fields if n.lower() == b"cookie"), None))
        connection.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: u=caf\xe9; Path=/\r\n"
                        b"Content-Length: 0\r\n\r\n")

    sent = []
    with ScriptedOrigin(script) as origin, Session() as s:
        s.get(origin.url("/"))
        assert s.cookies["u"] == "caf\u00e9"
        s.get(origin.url("/"))
        s.cookies.jar._cookies["127.0.0.1"]["/"]["u"].value = "plain"
        s.get(origin.url("/"))
    assert sent == [None, b"u=caf\xe9", b"u=plain"]


def test_a_host_only_cookie_stays_with_its_host():
    def script(request, connection):
        if request.target == "/go":
            connection.send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                            f"Location: {origin.url('/end', 'a.localhost')}\r\n\r\n")
        else:
            connection.send(answer(request.header("cookie") or "none",
                                   fields=["Set-Cookie: sid=1; Path=/"]))

    with ScriptedOrigin(script) as origin, Session() as s:
        s.get(origin.url("/", "localhost"))
        assert s.get(origin.url("/", "localhost")).text == "sid=1"
        assert s.get(origin.url("/go", "127.0.0.1")).text == "none"


def test_cookies_of_the_session_and_of_the_request(agree):
    def program(lib, s, url):
        s.cookies.set("a", "session")
        s.cookies.update({"b": "session"})
        s.cookies.set("other", "x", domain="other.example")
        return (s.get(url("/cookies")).json(),
                s.get(url("/cookies"), cookies={"a": "request", "c": "request"}).json(),
                s.get(url("/cookies")).json(), cookie_facts(s.cookies))
    agree(program)


def test_cookies_may_be_discarded(agree):
    def program(lib, s, url):
        s.get(url("/cookies/set?a=1"), discard_cookies=True)
        return cookie_facts(s.cookies), s.get(url("/cookies")).json()
    agree(program)


def test_cookies_may_be_replaced(agree):
    def program(lib, s, url):
        getattr(s, "session", s).cookies = {"n": "1"}
        return s.get(url("/cookies")).json(), type(s.cookies).__name__
    agree(program)


SESSIONS = [
    {"headers": {"X-S": "1"}}, {"params": {"s": "1"}}, {"auth": ("u", "p")},
    {"cookies": {"c": "1"}}, {"allow_redirects": False}, {"max_redirects": 1},
    {"raise_for_status": True}, {"http_version": "v1"}, {"timeout": 0.2}]
CALLS = [("/echo", {}),
         ("/echo", {"params": {"r": "2"}, "headers": {"X-S": "2"}, "auth": ("x", "y")}),
         ("/redirect/2", {}), ("/redirect/2", {"max_redirects": 5, "allow_redirects": True}),
         ("/status/404", {}), ("/charset/iso-8859-1?declare=no", {}),
         ("/delay/0.5", {"timeout": 5}), ("/delay/0.5", {})]


@pytest.mark.parametrize("kwargs", SESSIONS)
def test_a_sessions_parameter_and_a_requests_over_it(agree, kwargs):
    def program(lib, s, url):
        session = getattr(s, "session", s)
        fresh = type(session)(**kwargs)
        target = type(s)(fresh, s.loop) if session is not s else fresh
        results = []
        for path, parameters in CALLS:
            try:
                r = target.get(url(path), **parameters)
                got = echoed(r) if path == "/echo" else (r.status_code, r.text, r.encoding)
                results.append(got)
            except lib.requests.exceptions.RequestException as err:
                results.append(type(err).__name__)
        target.close()
        return results
    agree(program)


@pytest.mark.parametrize("path", ["/echo", "echo", "../echo?x=1", "//127.0.0.1:1/"])
def test_base_url(agree, path, origin):
    def program(lib, s, url):
        getattr(s, "session", s).base_url = url("/a/b")
        return echoed(s.get(path))["target"]
    agree(program)


def test_base_url_must_be_absolute():
    for lib in (OURS, THEIRS):
        with pytest.raises(ValueError, match="absolute"):
            lib.requests.Session(base_url="/relative")
        with pytest.raises(TypeError):
            lib.requests.Session(response_class=dict)
        with pytest.raises(TypeError):
            lib.requests.Session(nonsense=1)


def test_a_class_of_responses(origin):
    for lib in (OURS, THEIRS):
        class Mine(lib.requests.Response):
            @property
            def shout(self):
                return self.text.upper()

        with lib.requests.Session(response_class=Mine) as s:
            r = s.get(origin.url("/redirect/1"))
            assert r.shout == "HELLO\n" and type(r) is Mine and type(r.history[0]) is Mine


def test_a_response_can_be_pickled_and_a_stream_cannot(agree):
    def program(lib, s, url):
        r = pickle.loads(pickle.dumps(s.get(url("/redirect/1"))))
        return facts(r), r.curl
    agree(program)

    def stream(lib, s, url):
        r = s.request("GET", url("/hello"), stream=True)
        try:
            return pickle.dumps(r)
        finally:
            if hasattr(s, "session"):
                s.loop.run_until_complete(r.acontent())
            else:
                r.close()
    assert agree(stream)[1] == "TypeError"


# -- streams: Session only, run_async's loop is not running while a program iterates -------------


def stream_facts(r):
    return (r.status_code, r.reason, r.ok, r.url, r.encoding, int(r.http_version), r.redirect_count,
            [h for h in header_facts(r.headers) if h[0].lower() not in
             ("transfer-encoding", "connection", "content-encoding", "content-length")])


@pytest.mark.parametrize("page", ["/hello", "/bytes/300000?chunked=1", "/redirect/2", "/status/404",
                                  "/gzip", "/sse", "/status/204"])
def test_a_stream(origin, page):
    def program(lib, s, url):
        with s.stream("GET", url(page)) as r:
            return stream_facts(r), b"".join(r.iter_content()), r.content
    assert run_sync(OURS, program, origin.url) == run_sync(THEIRS, program, origin.url)


@pytest.mark.parametrize("page, kwargs", [
    ("/sse", {}), ("/raw?hex=610a620d0a0a63", {}), ("/raw?hex=612c622c63", {"delimiter": b","}),
    ("/raw?hex=610a", {}), ("/raw?hex=", {})])
def test_lines_of_a_stream(origin, page, kwargs):
    def program(lib, s, url):
        with s.stream("GET", url(page)) as r:
            return list(r.iter_lines(**kwargs))
    assert run_sync(OURS, program, origin.url) == run_sync(THEIRS, program, origin.url)


def test_a_stream_of_an_async_session(origin):
    def program(lib, s, url):
        async def main():
            async with s.session.stream("GET", url("/bytes/100000?chunked=1")) as r:
                first = (r.status_code, len(await r.acontent()))
            r = await s.session.get(url("/hello"), stream=True)
            text = await r.atext()
            await r.aclose()
            r = await s.session.get(url("/sse"), stream=True)
            lines = [line async for line in r.aiter_lines()]
            await r.aclose()
            return first, text, lines
        return s.loop.run_until_complete(main())
    assert run_async(OURS, program, origin.url) == run_async(THEIRS, program, origin.url)


@pytest.mark.parametrize("page", ["/cut?n=100000", "/cut?n=100000&framing=chunked"])
def test_a_stream_that_breaks(origin, page):
    def program(lib, s, url):
        with s.stream("GET", url(page)) as r:
            for _ in r.iter_content():
                pass
    ours, theirs = run_sync(OURS, program, origin.url), run_sync(THEIRS, program, origin.url)
    assert ours[:2] == ("raised", "IncompleteRead") and theirs[0] == "raised"


def test_a_stream_that_never_begins(origin):
    def program(lib, s, url):
        return s.get("http://127.0.0.1:1/", stream=True).status_code
    assert run_sync(OURS, program, origin.url) == run_sync(THEIRS, program, origin.url)


def test_content_callback(agree):
    def program(lib, s, url):
        pieces = []
        r = s.get(url("/bytes/100000"),
                  content_callback=lambda p: pieces.append(bytes(p)) or len(p))
        return b"".join(pieces), r.status_code, r.content
    agree(program)


# -- proxies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["proxy", "all", "http", "by host", "by all and host"])
def test_through_a_proxy(agree, proxy, given):
    port, process = proxy()
    address = f"http://127.0.0.1:{port}"
    parameters = {
        "proxy": {"proxy": address}, "all": {"proxies": {"all": address}},
        "http": {"proxies": {"http": address, "https": "http://127.0.0.1:1"}},
        "by host": {"proxies": {"http://127.0.0.1": address, "http": "http://127.0.0.1:1"}},
        "by all and host": {"proxies": {"all://127.0.0.1": address, "all": "http://127.0.0.1:1"}},
    }[given]
    before = len(process.out.splitlines())
    agree(lambda lib, s, url: s.get(url("/hello"), **parameters).text)
    assert len(process.out.splitlines()) - before >= 2, "each went through it"


@pytest.mark.parametrize("given", ["in the URL", "proxy_auth"])
def test_through_a_proxy_with_a_password(agree, proxy, given):
    port, _ = proxy(user="u", password="p@ss")
    parameters = {"proxy": f"http://u:p%40ss@127.0.0.1:{port}"} if given == "in the URL" else \
        {"proxy": f"http://127.0.0.1:{port}", "proxy_auth": ("u", "p@ss")}
    assert agree(lambda lib, s, url: s.get(url("/hello"), **parameters).text) == "hello\n"
    wrong = {"proxy": f"http://127.0.0.1:{port}", "proxy_auth": ("u", "wrong")}
    agree(lambda lib, s, url: s.get(url("/hello"), **wrong).status_code)


def test_a_proxy_of_the_session_and_none_for_a_request(agree):
    def program(lib, s, url):
        getattr(s, "session", s).proxies = {"all": "http://127.0.0.1:1"}
        try:
            s.get(url("/hello"))
        except lib.requests.exceptions.RequestException as err:
            return type(err).__name__, s.get(url("/hello"), proxies={}).text
    agree(program)
