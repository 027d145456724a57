"""The client module of the example project, called as views call it."""

import asyncio
import base64
import concurrent.futures
import contextlib
import json
import socket
import subprocess
import sys
import threading

import pytest
from django.conf import settings
from django.test.utils import override_settings

from tests.support.mounts import EXAMPLES
from tests.support.origin.client import now
from tests.support.procs import free_port

sys.path.append(str(EXAMPLES / "django"))
import curlew_client  # noqa: E402

if not settings.configured:
    settings.configure(CURLEW={})


def fetch_in_a_loop(url, **request):
    """afetch() as Django runs it under WSGI: on a loop that begins and ends with the call."""
    return asyncio.run(curlew_client.afetch(url, **request))


@pytest.fixture
def mount(daemon, nginx):
    mount = nginx(daemon)
    with override_settings(CURLEW={"URL": f"{mount.url}/_fetch/"}):
        yield mount


@pytest.fixture(params=[curlew_client.fetch, fetch_in_a_loop], ids=["fetch", "afetch"])
def fetch(request):
    return request.param


def failure(fetch, url, **request):
    with pytest.raises(curlew_client.CurlewError) as caught:
        fetch(url, **request)
    return caught.value


def test_a_response_tells_all(mount, fetch, origin):
    r = fetch(origin.url("/odd-headers"))

    assert (r.status, r.reason, r.http_version) == (200, "OK", "1.1")
    assert r.url == origin.url("/odd-headers")
    assert r.header("x-mixed-CASE") == "kept"
    assert r.header("X-Twice") == "one"
    assert r.header("x-none") is None and r.header("x-none", "-") == "-"
    assert r.text == "odd\n"
    assert r.envelope["connection"]["remote_port"] == origin.ports["http"]


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_bytes_come_as_they_are(mount, fetch, origin, size):
    content = fetch(origin.url(f"/bytes/{size}")).content

    assert content == (bytes(range(256)) * (size // 256 + 1))[:size]


def test_text_is_read_in_its_charset(mount, fetch, origin):
    assert fetch(origin.url("/charset/shift_jis")).text == "日本語です"


def test_no_body_is_asked_for(mount, fetch, origin):
    assert fetch(origin.url("/hello"), response_body="none").content == b""


def test_json_goes_out_and_comes_in(mount, fetch, origin):
    seen = fetch(origin.url("/echo"), json={"grüße": [1, None]}, headers={"x-a": "b"}).json()

    assert seen["method"] == "POST"
    assert ["x-a", "b"] in [[n.lower(), v] for n, v in seen["headers"]]
    assert json.loads(base64.b64decode(seen["body_base64"])) == {"grüße": [1, None]}


def test_a_body_of_bytes_goes_out_as_it_is(mount, fetch, origin):
    body = bytes(range(256)) * 2048

    seen = fetch(origin.url("/echo"), body=body, method="PUT").json()
    assert base64.b64decode(seen["body_base64"]) == body


def test_the_second_call_finds_a_warm_connection(mount, fetch, origin):
    fetch(origin.url("/hello"))
    assert fetch(origin.url("/hello")).reused


def test_an_error_of_the_origin_is_a_response(mount, fetch, origin):
    assert fetch(origin.url("/status/503")).status == 503


@pytest.mark.parametrize("request_, status, code, said", [
    ({"nonsense": 1}, 400, "bad_request", "nonsense"),
    ({"timeout": "soon"}, 400, "bad_request", "timeout"),
    ({"timeout": {"total": -1}}, 400, "bad_request", "timeout"),
    ({"timeout": 0.05}, 504, "timeout", "0.05"),
])
def test_curlews_refusals_become_errors(mount, fetch, origin, request_, status, code, said):
    error = failure(fetch, origin.url("/delay/5"), **request_)

    assert (error.status, error.code) == (status, code), error
    assert said in error.detail
    assert str(error) == f"{code}: {error.detail}"


def test_a_closed_port_is_named(mount, fetch):
    error = failure(fetch, f"http://127.0.0.1:{free_port()}/")
    assert (error.status, error.code) == (502, "connect_failed")


def test_no_web_server_is_unreachable(fetch):
    where = f"http://127.0.0.1:{free_port()}/_fetch"
    with override_settings(CURLEW={"URL": where}):
        error = failure(fetch, "http://127.0.0.1/")

    assert (error.status, error.code) == (502, "unreachable")
    assert where in error.detail


def test_a_stranger_in_curlews_place_is_named(fetch, origin):
    for where, said in [("/hello", "404"), ("/echo", "200")]:
        with override_settings(CURLEW={"URL": origin.url(where)}):
            error = failure(fetch, "http://127.0.0.1/")
        assert error.code == "bad_answer"
        assert said in error.detail


def test_a_web_server_without_its_daemon_is_named(curlewd, nginx, fetch):
    daemon = curlewd()
    mount = nginx(daemon)
    daemon.stop()
    with override_settings(CURLEW={"URL": f"{mount.url}/_fetch"}):
        error = failure(fetch, "http://127.0.0.1/")

    assert error.code == "bad_answer"
    assert "502" in error.detail


@contextlib.contextmanager
def answering(raw):
    """A web server that answers one request with these bytes and closes; None: it keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                if raw is None:
                    peer.recv(1)  # until the client has gone
                else:
                    peer.sendall(raw)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/_fetch"
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("raw, said", [
    (b'HTTP/1.1 200 OK\r\n\r\n{"body_bytes": 5}\nfour', "short"),
    (b'HTTP/1.1 200 OK\r\n\r\n{"body_bytes": 5', "no Curlew"),
    (b"HTTP/1.1 200 OK\r\n", "no Curlew"),
    (b"", "no Curlew"),
])
def test_an_answer_cut_short_is_an_error(fetch, raw, said):
    with answering(raw) as where, override_settings(CURLEW={"URL": where}):
        error = failure(fetch, "http://127.0.0.1/")

    assert error.code == "bad_answer"
    assert said in error.detail


def test_a_silent_web_server_is_given_up(fetch):
    with answering(None) as where, override_settings(CURLEW={"URL": where, "PATIENCE": 0.2}):
        begun = now()
        error = failure(fetch, "http://127.0.0.1/")

    assert error.code == "unreachable"
    assert 0.2 <= now() - begun < 3


def test_many_threads_many_loops(mount, fetch, origin):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: fetch(origin.url(f"/echo/{i}")).json()["path"], range(40)))

    assert got == [f"/echo/{i}" for i in range(40)]
    assert origin.stats()["connections"] <= 8


FORKING = """
import asyncio, os, sys
from django.conf import settings
settings.configure(CURLEW={"URL": sys.argv[1]})
from curlew_client import afetch, fetch

def get():
    return fetch(sys.argv[2]).text, asyncio.run(afetch(sys.argv[2])).text

assert get() == ("hello\\n",) * 2
children = [os.fork() or os._exit(get() != ("hello\\n",) * 2) for _ in range(3)]
sys.exit(sum(os.waitpid(child, 0)[1] for child in children))
"""


def test_a_forked_child_fetches_too(mount, origin):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, f"{mount.url}/_fetch", origin.url("/hello")],
        cwd=EXAMPLES / "django", capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stderr) == (0, "")
    assert origin.stats()["requests"] == 8


def test_a_cancelled_task_cancels_its_fetch(mount, origin):
    target = "/delay/29"

    async def main():
        task = asyncio.create_task(curlew_client.afetch(origin.url(target)))
        await asyncio.to_thread(origin.wait_for, "arrived", target)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return now()

    cancelled = asyncio.run(main())
    assert origin.wait_for("left", target) - cancelled < 0.5


def test_the_loop_goes_on_while_a_fetch_waits(mount, origin):
    async def main():
        slow = asyncio.create_task(curlew_client.afetch(origin.url("/delay/1")))
        quick = [(await curlew_client.afetch(origin.url("/hello"))).text for _ in range(5)]
        return quick, slow.done(), (await slow).text

    assert asyncio.run(main()) == (["hello\n"] * 5, False, "late\n")
