"""Faults of origins, proxies and callers: the exceptions are those that requests itself raises."""

import http.client
import pickle
import socket
import time

import pytest
import requests
import urllib3

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter
from tests.support.procs import free_port
from tests.support.scripted_origin import ScriptedOrigin

OK = b"HTTP/1.1 200 OK\r\n"
LONG = OK + b"Content-Length: 100\r\n\r\n0123456789"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sends(data, then="close", pause=0):
    """`pause` seconds before the end: else the daemon may see head and end at once."""

    def script(request, connection):
        connection.send(data)
        time.sleep(pause)
        getattr(connection, then)()

    return script


FAULTS = {
    "silent": sends(b"", "hold"),
    "hangs up": sends(b""),
    "resets": sends(b"", "reset"),
    "stalls in the head": sends(OK, "hold"),
    "not HTTP": sends(b"220 mail.example ESMTP\r\n"),
    "bad status line": sends(b"HTTP/1.1 two hundred\r\n\r\n"),
    "two lengths": sends(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    "too many fields": sends(OK + b"X-A: 1\r\n" * 1100 + b"Content-Length: 0\r\n\r\n"),
    "stalls in the body": sends(LONG, "hold"),
    "stalls in a chunk": sends(CHUNKED + b"a\r\n01234", "hold"),
    "cuts the body": sends(LONG),
    "cuts the body later": sends(LONG, pause=0.1),
    "cuts a chunk later": sends(CHUNKED + b"a\r\n01234", pause=0.1),
    "cuts the chunks": sends(CHUNKED + b"a\r\n0123456789\r\n"),
    "cuts a chunk": sends(CHUNKED + b"a\r\n01234"),
    "resets in the body": sends(LONG, "reset", pause=0.1),
    "a chunk of no size": sends(CHUNKED + b"a\r\n0123456789\r\nzz\r\n"),
    "bad gzip": sends(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "hold"),
}


def chain(err):
    """The classes of an exception and of what it says it was caused by, without our own names."""
    found = []
    while isinstance(err, BaseException):
        found.append(type(err))
        causes = [getattr(err, "reason", None), *reversed(err.args)]
        err = next((c for c in causes if isinstance(c, BaseException)), None)
    return found


def public(classes):
    """requests' and urllib3's, without how urllib3 counts what is missing."""
    found = [c for c in classes if c.__module__.startswith(("requests", "urllib3"))]
    return [c for c in found if not issubclass(c, http.client.IncompleteRead)]


def raised(call, *args, **options):
    with pytest.raises(Exception) as info:
        call(*args, **options)
    return info.value


def fetch(session, url, stream=False, **options):
    options.setdefault("timeout", (3, 0.5))
    response = session.get(url, stream=stream, **options)
    if stream:
        list(response.iter_content(10))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_raise_what_requests_raises(session, fault, stream):
    with ScriptedOrigin(FAULTS[fault]) as origin:
        ours = raised(fetch, session(), origin.url(), stream)
        alone = raised(fetch, requests.Session(), origin.url(), stream)
    assert public(chain(ours)) == public(chain(alone)), (ours, alone)
    assert type(ours) is type(alone)


@pytest.mark.parametrize(
    "url",
    ["http://", "http://[::1", "http://a b/", "http://exa\x00mple/", "http://*example.com", "a"],
)
def test_bad_urls_raise_what_requests_raises(session, url):
    ours, alone = (raised(each.get, url) for each in (session(), requests.Session()))
    assert type(ours) is type(alone)


def refusing_url():
    return f"http://127.0.0.1:{free_port()}/"


def unaccepting():
    """A port that takes connections up to its backlog, and no more: SYNs are dropped."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    filling = []
    for _ in range(4):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        filling.append(sock)
    return listener, filling


@pytest.mark.parametrize("limit", [0.3, (0.3, 5), (0.3, None), urllib3.Timeout(connect=0.3)])
def test_no_connection_in_time_raises_what_requests_raises(session, limit):
    listener, filling = unaccepting()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    ours, alone = (
        raised(fetch, each, url, timeout=limit) for each in (session(), requests.Session())
    )
    listener.close()
    assert public(chain(ours)) == public(chain(alone)), (ours, alone)
    assert isinstance(ours, requests.ConnectTimeout)
    assert "timed out. (connect timeout=0.3)" in str(ours)
    assert "timed out. (connect timeout=0.3)" in str(pickle.loads(pickle.dumps(ours)))


def test_no_connection_raises_what_requests_raises(session):
    url = refusing_url()
    ours, alone = (raised(fetch, each, url) for each in (session(), requests.Session()))
    assert public(chain(ours)) == public(chain(alone)), (ours, alone)
    assert "connect_failed" in str(ours)


def test_an_unknown_name_raises_what_requests_raises(session):
    url = "http://nowhere.invalid/"
    ours, alone = (raised(fetch, each, url) for each in (session(), requests.Session()))
    assert public(chain(ours)) == public(chain(alone)), (ours, alone)


def test_proxy_errors_are_those_of_requests(session, monkeypatch, proxy):
    monkeypatch.delenv("NO_PROXY")
    port, _ = proxy(user="u", password="p")
    for proxies in ({"all": f"http://127.0.0.1:{free_port()}"}, {"all": f"http://127.0.0.1:{port}"}):
        ours, alone = (
            raised(fetch, each, "https://127.0.0.1:9/", proxies=proxies)
            for each in (session(), requests.Session())
        )
        assert type(ours) is type(alone) is requests.exceptions.ProxyError


def test_certificate_errors_say_what_to_do(session, origin):
    url = origin.url("/hello", port="https")
    ours, alone = (
        raised(fetch, each, url) for each in (session(session="jar"), requests.Session())
    )
    assert public(chain(ours)) == public(chain(alone)), (ours, alone)
    assert "ca_file" in str(ours) and "CurlewAdapter(session=" in str(ours)


def test_a_client_certificate_says_what_to_do(session, origin, certs):
    url = origin.url("/hello", port="https")
    with pytest.raises(requests.exceptions.SSLError, match="client_cert and client_key.*session="):
        session().get(url, cert=(str(certs / "client.pem"), str(certs / "client.key")))
    assert session().get(origin.url("/hello"), cert=str(certs / "client.pem")).ok  # not with http


@pytest.mark.parametrize("wrong", [{"verify": "/nowhere/ca.pem"}, {"cert": "/nowhere/c.pem"}])
def test_missing_files_have_requests_text(session, origin, wrong):
    url = origin.url("/hello", port="https")
    ours, alone = (raised(each.get, url, **wrong) for each in (session(), requests))
    assert str(ours) == str(alone) and isinstance(ours, (type(alone), requests.RequestException))


@pytest.mark.parametrize(
    "url, raised_class, words",
    [
        ("http://10.1.2.3/", requests.ConnectionError, "blocked"),
        ("http://169.254.169.254/", requests.ConnectionError, "blocked"),
    ],
)
def test_refusals_of_the_daemon(session, url, raised_class, words):
    with pytest.raises(raised_class, match=words) as info:
        session(max_retries=3).get(url)
    assert info.value.args[0].code == "blocked"
    assert info.value.request.url == url


def test_mistakes_of_the_caller_are_no_connection_errors(session, origin):
    mistakes = (({"session": "none"}, "unknown_session"), ({"http_version": "9"}, "bad_req"))
    for arguments, code in mistakes:
        with pytest.raises(requests.RequestException, match=code) as info:
            session(**arguments).get(origin.url("/"))
        assert type(info.value) is requests.RequestException


def test_a_daemon_that_is_down_is_a_connection_error(tmp_path):
    session = requests.Session()
    session.mount("http://", CurlewAdapter(daemon.Daemon(f"fcgi+unix:{tmp_path}/none.sock")))
    with pytest.raises(requests.ConnectionError, match="curlewd is not running") as info:
        session.get("http://a.example/")
    assert info.value.args[0].code == "unreachable"
    assert pickle.loads(pickle.dumps(info.value)).args[0].code == "unreachable"


@pytest.mark.parametrize("limit", [("a", "b"), "a", (1, 2, 3), 0, -1, True, (0, 1)])
def test_bad_timeouts_raise_what_requests_raises(session, origin, limit):
    ours, alone = (
        raised(each.get, origin.url("/hello"), timeout=limit)
        for each in (session(), requests.Session())
    )
    assert (type(ours), str(ours)) == (type(alone), str(alone))


def test_timeouts_say_timed_out(session, origin):
    with pytest.raises(requests.ReadTimeout, match=r"Read timed out. \(read timeout=0.2\)"):
        session().get(origin.url("/delay/9"), timeout=urllib3.Timeout(connect=5, read=0.2))
    with pytest.raises(requests.ConnectionError, match="Read timed out"):
        fetch(session(), origin.url("/stall"), timeout=(5, 0.2))


@pytest.mark.parametrize(
    "limit", [None, 5, 5.5, (5, None), (None, 5), urllib3.Timeout(total=5), (5, 5)], ids=repr
)
def test_timeouts_of_every_kind(session, origin, limit):
    assert session().get(origin.url("/hello"), timeout=limit).ok


def test_a_total_timeout_limits_the_wait(session, origin):
    with pytest.raises(requests.ReadTimeout):
        session().get(origin.url("/delay/9"), timeout=urllib3.Timeout(total=0.2))
