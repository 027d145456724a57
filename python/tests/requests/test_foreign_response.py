"""A web server that answers itself: what the error says."""

import asyncio
import http.server
import os
import socketserver
import struct
import subprocess
import threading

import httpx
import pytest
import requests as plain_requests

from django_curlew import AsyncSession, Session, daemon
from django_curlew.adapters.httpx import CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.daemon import foreign_response
from django_curlew.requests import exceptions


def told_of(url, path="/_fetch", **kwargs):
    with pytest.raises(exceptions.DaemonError) as caught:
        Session(daemon=f"{url}{path}").post("http://127.0.0.1:1/", **kwargs)
    assert caught.value.reason == "unreachable"
    return str(caught.value)


@pytest.mark.parametrize("changes, path, kwargs, told", [
    ([("allow 127.0.0.1;", "deny 127.0.0.1;")], "/_fetch", {}, "403: an `allow`, `deny` or"),
    ([], "/elsewhere", {}, "404: curlewd is not mounted at this path."),
    ([("client_max_body_size 0", "client_max_body_size 1k")], "/_fetch", {"data": "x" * 2000},
     "413: the request is over its client_max_body_size."),
    ([(r"(localhost|127\.0\.0\.1|", "(localhost|")], "/_fetch", {}, "421: its mount refuses this"),
], ids=["denied", "no mount", "too large", "another name"])
def test_nginx_refuses(daemon, nginx, origin, changes, path, kwargs, told):
    front = nginx(daemon, origin.ports["http"], more=changes)
    assert told_of(front.url, path, **kwargs).startswith(f"nginx answered {told}")


@pytest.mark.skipif(os.getuid() != 0, reason="nginx' workers are of another user only then")
def test_nginx_may_not_open_the_socket(curlewd, nginx):
    d = curlewd()
    front = nginx(d)
    subprocess.run(["chmod", "600", str(d.socket)], check=True)
    told = told_of(front.url)
    assert told == ("nginx answered 502: curlewd is not running, or nginx may not open its socket;"
                    " its error log says which.")


@pytest.mark.parametrize("status, server, told", [
    (502, "nginx/1.22.1", "nginx answered 502: curlewd is not running, or nginx may not open"),
    (502, None, "the web server answered 502: it has no valid response of curlewd: "),
    (503, "Apache/2.4.57 (Debian)", "Apache answered 503: curlewd is not running, or Apache may"),
    (503, "lighttpd/1.4.69", "lighttpd answered 503: curlewd is not running, or lighttpd may"),
    (503, None, "the web server answered 503: it has no curlewd to pass the request to, or"),
    (502, "Caddy", "Caddy answered 502: curlewd is not running, or Caddy may"),
    (504, "nginx", "nginx answered 504: curlewd did not respond to nginx in time (fastcgi_read"),
    (403, "gunicorn", "gunicorn answered 403: its configuration denies"),
    (421, "nginx", "nginx answered 421: its mount refuses this name"),
    (200, "nginx", "nginx answered 200: something else than curlewd responds"),
    (301, "nginx", "nginx answered 301: it redirects; set CURLEW"),
    (418, "\x07" * 9, "the web server answered 418: this is not a response of curlewd."),
    (418, "x" * 41, "the web server answered 418: this is not a response of curlewd."),
    (418, "x" * 40, "x" * 40 + " answered 418: this is not a response of curlewd.")])
def test_each_server_and_status_is_named(status, server, told):
    assert foreign_response.explain(status, server).startswith(told)


def test_other_clients_say_the_same(curlewd, nginx):
    d = curlewd()
    asked = daemon.Daemon(f"{nginx(d).url}/_fetch")
    d.stop()
    with plain_requests.Session() as session:
        session.mount("http://", CurlewAdapter(daemon=asked))
        with pytest.raises(plain_requests.ConnectionError, match="nginx answered 502: curlewd is"):
            session.get("http://127.0.0.1:1/")
    with httpx.Client(transport=CurlewTransport(daemon=asked)) as client:
        with pytest.raises(httpx.ConnectError, match="nginx answered 502: curlewd is"):
            client.get("http://127.0.0.1:1/")


PROBLEM = "application/problem+json"
FRAMES = daemon.FRAMES


@pytest.fixture
def other_site():
    """other_site(status, content type, body) → its URL: another program at the mount's path."""
    servers = []

    def start(status, content_type, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


async def all_of(results):
    return [each async for each in results]


URL = "http://127.0.0.1:1/"
ASK = {
    "get": lambda d: Session(daemon=d).get(URL),
    "stream": lambda d: Session(daemon=d).get(URL, stream=True),
    "gather": lambda d: Session(daemon=d).gather([URL]),
    "as_completed": lambda d: list(Session(daemon=d).as_completed([URL])),
    "async get": lambda d: asyncio.run(AsyncSession(daemon=d).get(URL)),
    "async gather": lambda d: asyncio.run(AsyncSession(daemon=d).gather([URL])),
    "async as_completed":
        lambda d: asyncio.run(all_of(AsyncSession(daemon=d).as_completed([URL]))),
}


@pytest.mark.parametrize("answer", [
    (200, "text/html", b"<html>\n<body>Welcome</body>\n"),
    (200, "application/json", b'{"a": 1}\n'),
    (404, PROBLEM, b'{"title": "Not Found", "status": 404}'),  # RFC 9457: no member is required
    (404, PROBLEM, b'["code"]'),
    (503, PROBLEM, b'{"code": 7}'),
    (404, PROBLEM, b'{"code": "unknown_ca"'),
    (200, FRAMES, b"Welcome\n\n"),
    (200, FRAMES, b"[]\n\n"),
], ids=["page", "JSON", "problem", "list", "number", "cut problem", "no JSON", "no object"])
@pytest.mark.parametrize("ask", ASK)
def test_another_program_at_the_path_is_a_daemon_error(other_site, ask, answer):
    with pytest.raises(exceptions.DaemonError, match="answered|curlewd|the head of the stream"):
        ASK[ask](other_site(*answer))


class NotFound(socketserver.BaseRequestHandler):
    """As PHP-FPM: a record of STDOUT, and one of END_REQUEST."""

    def handle(self):
        self.request.recv(65536)
        for kind, data in ((6, b"Status: 404 Not Found\r\n\r\nFile not found.\n"), (3, bytes(8))):
            self.request.sendall(struct.pack("!BBHHBB", 1, kind, 1, len(data), 0, 0) + data)


@pytest.mark.parametrize("ask", ASK)
def test_another_program_on_the_socket_is_no_web_server(ask, tmp_path):
    path = str(tmp_path / "s")
    with socketserver.ThreadingUnixStreamServer(path, NotFound) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        with pytest.raises(exceptions.DaemonError, match="what listens there is not curlewd"):
            ASK[ask](f"fcgi+unix:{path}")
        server.shutdown()


def test_what_listens_on_a_fastcgi_socket_is_no_web_server():
    told = foreign_response.explain(404, None, through_web_server=False)
    assert "what listens there is not curlewd" in told and "web server" not in told


def test_every_text_is_whole():
    for product in ("", *foreign_response.BY_SERVER):
        for status in range(100, 600):
            told = foreign_response.explain(status, product)
            assert "{" not in told and told.endswith(".") and len(told) < 300
