"""Streams as a reader sees them, piece by piece, over FastCGI or HTTP.

    with open_stream(client, url=..., tag="x") as s:
        s.status, s.header("content-type"), s.piece(), s.rest()

A transfer that breaks raises IncompleteResponse and never looks like a short body. Over HTTP a
break is an unfinished chunk, too few bytes for Content-Length, or a reset; for curl it is one of
the exit codes in CURL_INCOMPLETE.
"""

import contextlib
import http.client
import json
import socket
import subprocess

from . import fcgi, clients
from .response import parse_cgi_response
from .web_servers import WEB_SERVERS, NO_KEEP_ALIVE, WebServer, find_program

IncompleteResponse = fcgi.IncompleteResponse
ROUTE = "/v1/stream"

# nginx' four modes, and the other web servers as their examples stand: (name, changes).
UNBUFFERED = [("fastcgi_max_temp_file_size 0;",
               "fastcgi_max_temp_file_size 0;\nfastcgi_buffering off;")]
ALL_MODES = {
    "nginx": ("nginx", []),
    "nginx-unbuffered": ("nginx", UNBUFFERED),
    "nginx-no-keep-alive": ("nginx", NO_KEEP_ALIVE),
    "nginx-no-keep-alive-unbuffered": ("nginx", [*UNBUFFERED, *NO_KEEP_ALIVE]),
    "apache": ("apache", []),
    "lighttpd": ("lighttpd", []),
    "caddy": ("caddy", []),
    "h2o": ("h2o", []),
    "haproxy": ("haproxy", []),
}
MODES = {name: mode for name, mode in ALL_MODES.items() if mode[0] in WEB_SERVERS}
CLIENTS = ["socket", *MODES]
NGINX_MODES = [name for name in MODES if name.startswith("nginx")]
CURL_INCOMPLETE = (18, 52, 56,
                   92)  # partial file, no response, receive failure, HTTP/2 stream reset


class Stream:
    """status and headers are known when it is made; the body is read as it comes."""

    def __init__(self, status, headers):
        self.status = status
        self.headers = headers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def header(self, name, fallback=None):
        return next((v for n, v in self.headers if n.lower() == name), fallback)

    def get_all(self, name):
        return [v for n, v in self.headers if n.lower() == name]

    def read_all(self):
        """The rest of the body."""
        return b"".join(iter(self.read, b""))

    def read_at_least(self, size):
        """At least `size` bytes, or fewer where the body ends before."""
        got = bytearray()
        while len(got) < size and (piece := self.read()):
            got += piece
        return bytes(got)


class FcgiStream(Stream):
    def __init__(self, connection):
        self.connection = connection
        self.ended = False
        out = b""
        while b"\r\n\r\n" not in out:
            piece = self._record()
            assert piece, f"it ended in its head: {out!r}"
            out += piece
        head, gap, self.buffered = out.partition(b"\r\n\r\n")
        response = parse_cgi_response(head + gap)
        super().__init__(response.status, response.headers)

    @property
    def sock(self):
        return self.connection.sock

    def _record(self):
        while not self.ended:
            try:
                kind, _, content = self.connection.read_record()
            except ConnectionError as error:
                raise IncompleteResponse(str(error)) from None
            if kind == fcgi.END:
                assert content[4] == fcgi.REQUEST_COMPLETE, content
                self.ended = True
            elif kind == fcgi.STDOUT and content:
                return content
            else:
                assert kind == fcgi.STDOUT, (kind, content)
        return b""

    def read(self):
        """The next piece; b"" at the proper end."""
        piece, self.buffered = self.buffered, b""
        return piece or self._record()

    def close(self):
        self.connection.close()


class HttpStream(Stream):
    def __init__(self, connection, response):
        self.connection = connection
        self.sock = connection.sock
        self.response = response
        super().__init__(response.status, response.getheaders())

    def read(self):
        try:
            piece = self.response.read1(65536)
        except http.client.IncompleteRead as error:
            raise IncompleteResponse(f"chunks without an end: {error}") from None
        except ConnectionError as error:
            raise IncompleteResponse(str(error)) from None
        if not piece and self.response.length:
            raise IncompleteResponse(f"{self.response.length} bytes of the length are missing")
        return piece

    def close(self):
        self.response.close()
        self.connection.close()


def open_stream(client, receive_buffer=None, client_timeout=15.0, **request):
    """POST …/v1/stream; the stream, once its head has come. `client_timeout` is in seconds, and
    the client's own."""
    return request_stream(client, "POST", ROUTE, json.dumps(request).encode(),
                          [("Content-Type", "application/json")], client_timeout, receive_buffer)


def request_stream(client, method, path, body=b"", headers=(), client_timeout=15.0,
                   receive_buffer=None):
    """The same for any request; `receive_buffer` is in bytes."""
    if isinstance(client, clients.FastCgiClient):
        connection = fcgi.Connection(client.address, client_timeout)
        plain, _, query = path.partition("?")
        params = fcgi.cgi_params(method, client.prefix + plain, query, body, headers)
        connection.send(fcgi.request(params, body))
        return FcgiStream(connection)
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=client_timeout)
    if receive_buffer:
        connection.sock = connect_with_small_buffer(client.port, receive_buffer, client_timeout)
    try:
        connection.request(method, client.prefix + path, body or None, dict(headers))
        return HttpStream(connection, connection.getresponse())
    except (http.client.RemoteDisconnected, ConnectionError) as error:
        connection.close()
        raise IncompleteResponse(str(error)) from None


@contextlib.contextmanager
def connected(name, daemon):
    """A client of the daemon, behind the web server called `name`."""
    if name == "socket":
        yield daemon.client
        return
    web_server, changes = MODES[name]
    client = WebServer(web_server, daemon.socket, more=changes)
    try:
        yield client
    finally:
        client.stop()


def hides_truncation(name):
    """Does this web server end a broken body of unknown length as if it were whole?"""
    if name == "caddy":  # issue 5951, until 2.7.6
        words = subprocess.run([find_program("caddy"), "version"], capture_output=True, text=True)
        version = words.stdout.split()[0].removeprefix("v").split(".")
        return [int(n) for n in version[:3]] < [2, 7, 6]
    return name == "h2o"


def send_request(client, **request):
    """The connection, once POST …/v1/stream is sent; the response is not read."""
    body = json.dumps(request).encode()
    if isinstance(client, clients.FastCgiClient):
        connection = fcgi.Connection(client.address)
        connection.send(fcgi.request(fcgi.cgi_params("POST", client.prefix + ROUTE, "", body),
                                     body))
        return connection
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=15)
    connection.request("POST", client.prefix + ROUTE, body)
    return connection


def connect_with_small_buffer(port, receive_buffer, client_timeout=15.0):
    """With a small receive buffer, a reader that stops is noticed at once on the other side."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(client_timeout)
    sock.connect(("127.0.0.1", port))
    return sock


def curl(client, request, *options):
    """(curl's exit code, the body it received)"""
    argv = ["curl", "-sS", "--max-time", "20", "-H", "Content-Type: application/json", *options,
            "--data-binary", json.dumps(request),
            f"http://127.0.0.1:{client.port}{client.prefix}{ROUTE}"]
    done = subprocess.run(argv, capture_output=True, timeout=30)
    return done.returncode, done.stdout
