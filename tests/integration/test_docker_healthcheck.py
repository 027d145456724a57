"""docker/healthcheck sends a real request and reads the response."""

import socket
import subprocess
import threading

import pytest

from tests.support import fcgi
from tests.support.curlewd import ROOT, clean_env
from tests.support.procs import free_port


def check(address):
    env = {n: v for n, v in clean_env().items() if v is not None}
    return subprocess.run([ROOT / "docker/healthcheck"], capture_output=True, text=True, timeout=20,
                          env={**env, "PATH": "/usr/bin:/bin", "CURLEW_LISTEN": address})


@pytest.fixture
def responder(tmp_path):
    """responder(cgi) → the path of a socket where one request gets that response."""
    def serve(listener, cgi):
        with listener.accept()[0] as s:
            s.settimeout(10)
            received = b""
            while fcgi.record(fcgi.STDIN) not in received:  # the empty one that ends STDIN
                received += s.recv(4096)
            s.sendall(fcgi.stream(fcgi.STDOUT, 1, cgi) + fcgi.record(fcgi.END, 1, bytes(8)))

    def start(cgi):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s.sock"))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener, cgi), daemon=True)
        thread.start()
        started.append((listener, thread))
        return tmp_path / "s.sock"

    started = []
    yield start
    for listener, thread in started:
        thread.join(10)
        listener.close()


def test_a_daemon_that_serves_is_healthy(curlewd):
    port = free_port()
    daemon = curlewd(also_listen=[f"127.0.0.1:{port}"])
    assert check(f"unix:{daemon.socket}").returncode == 0
    assert check(f"127.0.0.1:{port}").returncode == 0
    assert check(f"unix:{daemon.socket},127.0.0.1:1").returncode == 0  # the first one counts


@pytest.mark.parametrize("cgi, code", [
    (b'Content-Type: application/json\r\n\r\n{"status":"ok"}', 0),
    (b'Status: 503 Service Unavailable\r\n\r\n{"status":"draining"}', 1),
    (b'Status: 404 Not Found\r\n\r\n{"status":404,"code":"not_found"}', 1),
    (b"", 1),
])
def test_a_response_other_than_ok_is_unhealthy(responder, cgi, code):
    done = check(f"unix:{responder(cgi)}")
    assert done.returncode == code, done
    assert code == 0 or cgi == b"" or "status" in done.stdout  # Docker shows it


def test_a_missing_daemon_is_unhealthy(tmp_path):
    assert check(f"unix:{tmp_path}/none.sock").returncode == 1
    assert check(f"127.0.0.1:{free_port()}").returncode == 1
