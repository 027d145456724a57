"""What origins and proxies do wrong: curl_cffi's exception and ours, beside each other."""

import contextlib
import pickle
import socket
import time

import pytest
from parity import OURS, THEIRS

from django_curlew import Session, exceptions
from tests.faults.origins.fault import RAW, RAW_TLS
from tests.support.scripted_origin import ScriptedOrigin

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def sends(data, then="close"):
    def script(request, connection):
        connection.send(data)
        getattr(connection, then)()

    return script


def loops(request, connection):
    connection.send(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nX-A: 1\r\n"
                    b"Content-Length: 0\r\n\r\n")


def waits(request, connection):
    connection.hold()


# name: (script, arguments of request(), what our class is where it differs, and why)
FAULTS = {
    "no response": (sends(b""), {}),
    "a reset": (sends(b"", "reset"), {}),
    "not HTTP": (sends(b"garbage\r\n\r\n"), {}),
    "a body cut short": (sends(HEAD + b"abc"), {}),
    "a body that is reset": (sends(HEAD + b"abc", "reset"), {}),
    "chunks cut short": (sends(CHUNKED + b"5\r\nab"), {}),
    "no chunks": (sends(CHUNKED + b"xyz\r\n"), {}),
    "no gzip": (sends(HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
                      + b"abcdefghij"), {}),
    "redirects without end": (loops, {"max_redirects": 2}),
    "redirected to ftp": (sends(b"HTTP/1.1 302 Found\r\nLocation: gopher://x/\r\n"
                                b"Content-Length: 0\r\n\r\n"), {}),
    "silence": (waits, {"timeout": 0.3}),
    "a stall": (sends(HEAD + b"abc", "hold"), {"timeout": 0.3}),
    "plain text in place of TLS": (sends(b"HTTP/1.1 200 OK\r\n\r\n"), {"origin": RAW_TLS}),
    "HTTP/2 that is none": (sends(b"x" * 100), {"http_version": "v2_prior_knowledge"}),
    "a proxy that refuses": (sends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
                             {"proxied": "https://127.0.0.1:9/"}),
    "a proxy that wants a password": (
        sends(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"),
        {"proxied": "https://127.0.0.1:9/"}),
    "a proxy that hangs up": (sends(b""), {"proxied": "https://127.0.0.1:9/"}),
    "no SOCKS": (sends(b"xxxxxxxxxx"), {
        "proxied": "http://127.0.0.1:9/", "kind": "socks5", "origin": RAW}),
}
# Ours where it is another, and why.
DIFFERENT = {
    "redirected to ftp": "Blocked",  # the daemon's own refusal
    "no chunks": "ConnectionError",  # the daemon's protocol_error; curl_cffi: RequestException
    "a proxy that hangs up": "ProxyError",  # the daemon knows that it was the proxy
    "a proxy that refuses": "ProxyError",  # curl_cffi 0.17's libcurl: a code that is for origins
    "a proxy that wants a password": "ProxyError",
}


def raised_by(lib, script, stream, origin=None, proxied=None, kind="http", **arguments):
    def raw(connection):
        script(None, connection)

    with origin(raw, None) if origin else ScriptedOrigin(script) as origin:
        url = origin.url("/")
        if proxied:
            url, arguments["proxy"] = proxied, f"{kind}://127.0.0.1:{origin.port}"
        with lib.requests.Session() as session:
            try:
                response = session.get(url, stream=stream, **arguments)
                if stream:
                    with contextlib.closing(response):
                        for _ in response.iter_content():
                            pass
            except OSError as err:
                return err
    raise AssertionError(f"{lib.name} raised nothing")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", FAULTS)
def test_the_exception_is_curl_cffis(name, stream):
    script, arguments = FAULTS[name]
    if stream and "timeout" in arguments:
        arguments = {**arguments, "timeout": 1}  # libcurl's idle timeout has whole seconds
    theirs = raised_by(THEIRS, script, stream, **arguments)
    ours = raised_by(OURS, script, stream, **arguments)
    assert type(ours).__name__ == DIFFERENT.get(name, type(theirs).__name__), (theirs, ours)
    if name not in DIFFERENT:
        assert int(ours.code) == int(theirs.code), (theirs, ours)
    assert f"curl: ({ours.code}) " in str(ours) or isinstance(ours, exceptions.Blocked)
    assert isinstance(ours.response, OURS.requests.Response)
    assert ("timed out" in str(ours)) is isinstance(ours, exceptions.Timeout)


def test_no_one_listens_and_no_such_host():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    def ask(lib, url):
        with pytest.raises(OSError) as caught:
            lib.requests.Session().get(url)
        return type(caught.value).__name__, int(caught.value.code)

    for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/"):
        assert ask(OURS, url) == ask(THEIRS, url)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_too_many_redirects_have_the_last_answer(stream):
    def facts(lib):
        r = raised_by(lib, loops, stream, max_redirects=2).response
        return (r.status_code, r.reason, r.headers["x-a"], r.url.rpartition("/")[2], r.ok,
                r.redirect_count, [(h.status_code, h.url.rpartition("/")[2]) for h in r.history])

    ours = facts(OURS)
    assert ours == facts(THEIRS)
    assert ours[:5] == (302, "Found", "1", "again", True)


def test_so_it_is_in_a_gather():
    with ScriptedOrigin(loops) as origin:
        err, = Session(max_redirects=1).gather([origin.url("/")], return_exceptions=True)
    assert isinstance(err, exceptions.TooManyRedirects)
    assert (err.response.status_code, len(err.response.history)) == (302, 1)


# -- timeouts: each fires once, at its time, and says which it was --------------------------------


@pytest.mark.parametrize("timeout, stream, script, reason, seconds", [
    (0.5, False, waits, "timeout", 0.5),
    ((0.2, 0.3), False, waits, "timeout", 0.5),
    (0.5, False, sends(HEAD + b"abc", "hold"), "timeout", 0.5),
    (0.5, True, waits, "idle_timeout", 0.5),
    (0.5, True, sends(HEAD + b"abc", "hold"), "idle_timeout", 0.5)])
def test_a_timeout_fires_once_at_its_time(timeout, stream, script, reason, seconds):
    arrived = []

    def counted(request, connection):
        arrived.append(time.monotonic())
        script(request, connection)

    start = time.monotonic()
    err = raised_by(OURS, counted, stream, timeout=timeout)
    assert (type(err), err.reason, len(arrived)) == (exceptions.Timeout, reason, 1)
    assert seconds - 0.05 <= time.monotonic() - start < seconds + 1


def test_a_connection_that_is_not_made_is_a_timeout_of_its_own():
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):  # its queue is full: the next one's SYN is dropped
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        start = time.monotonic()
        with pytest.raises(exceptions.Timeout, match="timed out") as caught:
            Session().get(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=(0.4, 20))
    assert caught.value.reason == "connect_timeout"
    assert 0.35 <= time.monotonic() - start < 1.5


# -- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", " ", "/x", "//x", "http://", "http://[::1/", "http://a b/",
                                 "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "?", "file:///x"])
def test_a_bad_url_is_an_invalid_url(url):
    for stream in (False, True):
        with pytest.raises(exceptions.InvalidURL) as caught:
            Session().get(url, stream=stream)
        assert isinstance(caught.value, ValueError) and caught.value.code == 3
    err, = Session().gather([url], return_exceptions=True)
    assert isinstance(err, exceptions.InvalidURL)


@pytest.mark.parametrize("path", ["/x", "/x?u=http://other/", "?u=1", ""])
def test_a_url_without_a_scheme_is_http(path):
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with ScriptedOrigin(script) as origin:
        def url_of(lib):
            return lib.requests.Session().get(f"127.0.0.1:{origin.port}{path}").url

        assert url_of(OURS) == url_of(THEIRS)


# -- pickles --------------------------------------------------------------------------------------


def test_a_response_survives_a_pickle(origin):
    response = Session(curl_infos=[0x200000 + 2]).get(origin.url("/redirect/1"))
    again = pickle.loads(pickle.dumps(response))
    assert (again.status_code, again.text, again.url) == (200, response.text, response.url)
    assert again.request.url == response.request.url and again.infos == response.infos != {}
    assert again.history[0].status_code == 302 and again.headers == response.headers
    for name in ("curl", "queue", "stream_task", "astream_task", "quit_now"):
        assert getattr(again, name) is None


def test_a_stream_does_not(origin):
    with Session().stream("GET", origin.url("/hello")) as response:
        with pytest.raises(TypeError, match="Streaming responses cannot be pickled"):
            pickle.dumps(response)
