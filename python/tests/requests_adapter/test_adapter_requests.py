"""requests through Curlew, beside requests alone where the two should agree."""

import io
import time

import pytest
import requests

from django_curlew import context, daemon
from django_curlew.adapters.requests import CurlewAdapter
from tests.support.origin.client import now
from tests.support.procs import free_port


SENT = [
    ("GET", {}),
    ("DELETE", {}),
    ("POST", {}),
    ("POST", {"data": b"\x00\xff" * 99}),
    ("PUT", {"data": "grüße".encode()}),
    ("POST", {"json": {"a": ["ü", None]}}),
    ("POST", {"data": {"a": "1"}}),
    ("GET", {"params": {"q": "a b"}}),
    ("GET", {"headers": {"X-A": "1", "Accept": "a/b"}}),
    ("GET", {"headers": {"User-Agent": None}}),
    ("GET", {"cookies": {"a": "b"}}),
    ("GET", {"auth": ("u", "p")}),
    ("PATCH", {"data": b""}),
    ("GET", {"headers": {"Host": "other.example"}}),
]


@pytest.mark.parametrize("method, options", SENT, ids=repr)
def test_the_origin_sees_what_requests_would_have_sent(session, origin, method, options):
    echoes = []
    for each in (session(), requests.Session()):
        echoes.append(each.request(method, origin.url("/echo"), **options).json())
        echoes[-1]["headers"] = sorted(
            [n.lower(), v]
            for n, v in echoes[-1]["headers"]
            if n.lower() not in ("connection", "content-length")
        )
        del echoes[-1]["peer_port"], echoes[-1]["connection"]
    ours, alone = echoes
    if options.get("headers", {}).get("User-Agent", 1) is None:  # http.client adds its own
        alone["headers"] = [h for h in alone["headers"] if h[0] != "user-agent"]
    assert ours == alone


@pytest.mark.parametrize("data", [io.BytesIO(b"abc"), iter([b"a", b"bc"]), io.StringIO("abc")])
def test_bodies_of_every_kind(session, origin, data):
    assert session().post(origin.url("/upload"), data=data).json()["bytes"] == 3


RECEIVED = [
    "/hello",
    "/odd-headers",
    "/gzip",
    "/deflate",
    "/status/404",
    "/binary",
    "/bytes/300000",
    "/bytes/300000?chunked",
    "/charset/shift_jis",
    "/headers/50",
    "/raw?hex=",
]


@pytest.mark.parametrize("path", RECEIVED)
@pytest.mark.parametrize("stream", [False, True])
def test_the_response_is_as_requests_would_have_it(session, origin, path, stream):
    ours = session().get(origin.url(path), stream=stream)
    alone = requests.get(origin.url(path))
    assert (ours.status_code, ours.content, ours.text) == (
        alone.status_code,
        alone.content,
        alone.text,
    )
    for name in ("connection", "date", "transfer-encoding", "keep-alive"):
        ours.headers.pop(name, None), alone.headers.pop(name, None)
    assert ours.headers == alone.headers


def test_redirects_and_cookies_are_requests_own(session, origin):
    mine = session()
    response = mine.get(origin.url("/cookies/set?a=1"))
    assert response.json() == {"a": "1"} and mine.cookies["a"] == "1"
    assert [r.status_code for r in response.history] == [302]


def test_facts_and_keys(session, origin):
    envelope = session(session="jar").get(origin.url("/hello")).raw.curlew
    assert (envelope["session"], envelope["http_version"]) == ("jar", "1.1")


def test_the_trace_context_is_sent(session, origin):
    with context.propagate(request_id="job-7"):
        seen = session().get(origin.url("/echo")).json()
    assert ["X-Request-ID", "job-7"] in seen["headers"]


@pytest.mark.parametrize(
    "path, timeout, raised",
    [
        ("/delay/9", 0.1, requests.ReadTimeout),
        ("/hang-up", None, requests.ConnectionError),
        ("/cut?n=10", None, requests.exceptions.ChunkedEncodingError),
        ("/cut?n=10&framing=chunked", (5, 5), requests.exceptions.ChunkedEncodingError),
    ],
)
def test_failures_have_requests_names(session, origin, path, timeout, raised):
    with pytest.raises(raised):
        session().get(origin.url(path), timeout=timeout)


def test_more_failures(session, origin):
    with pytest.raises(requests.ConnectionError, match="connect_failed"):
        session().get(f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(requests.ConnectionError, match="blocked"):
        session().get("http://10.1.2.3/")
    with pytest.raises(requests.exceptions.SSLError):
        session(session="jar").get(origin.url("/hello", port="https"))
    with pytest.raises(requests.exceptions.ProxyError):
        session().get(origin.url("/"), proxies={"http": f"http://127.0.0.1:{free_port()}"})


def test_certificates(session, origin):
    url = origin.url("/hello", port="https")
    assert session(session="jar").get(url, verify=False).text == "hello\n"


def test_a_daemon_that_is_down(tmp_path):
    session = requests.Session()
    session.mount("http://", CurlewAdapter(daemon.Daemon(f"fcgi+unix:{tmp_path}/none.sock")))
    with pytest.raises(requests.ConnectionError):
        session.get("http://a.example/")


def test_a_stream_comes_piece_by_piece_and_may_be_left(session, origin):
    target = "/pour?requests"
    with session().get(origin.url("/ticks?n=3&every=0.2"), stream=True) as response:
        late = [time.monotonic() - float(line[6:]) for line in response.iter_lines() if line]
    assert len(late) == 3 and max(late) < 0.15
    with session().get(origin.url(target), stream=True) as response:
        next(response.iter_content(1000))
        left = now()
    assert origin.wait_for("left", target) - left < 0.5


def test_head_tells_the_length(session, origin):
    response = session().head(origin.url("/bytes/1000"))
    assert response.headers["Content-Length"] == "1000" and response.content == b""
