"""Streams as a reader sees them, piece by piece, over FastCGI or HTTP.

    with opened(client, url=..., tag="x") as s:
        s.status, s.header("content-type"), s.piece(), s.rest()

A transfer that breaks is Broken, never a short body: over HTTP it takes an unfinished chunk or
length, a reset, or (for curl) one of its own exit codes.
"""

import contextlib
import http.client
import json
import socket
import subprocess

from . import fcgi, clients
from .response import parse_cgi_response
from .web_servers import WEB_SERVERS, NO_KEEP_ALIVE, WebServer, find_program

Broken = fcgi.Broken
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
WAYS = ["socket", *MODES]
NGINX = [name for name in MODES if name.startswith("nginx")]
CURL_BROKEN = (18, 52, 56, 92)  # partial file, no response, receive failure, HTTP/2 stream reset


class Stream:
    """status and headers are there once it is made; the body is taken as it comes."""

    def __init__(self, status, headers):
        self.status = status
        self.headers = headers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def header(self, name, fallback=None):
        return next((v for n, v in self.headers if n.lower() == name), fallback)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name]

    def rest(self):
        """All that is still to come."""
        return b"".join(iter(self.piece, b""))

    def exactly(self, size):
        """At least so many bytes, unless it ends before."""
        got = bytearray()
        while len(got) < size and (piece := self.piece()):
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
        head, gap, self.early = out.partition(b"\r\n\r\n")
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
                raise Broken(str(error)) from None
            if kind == fcgi.END:
                assert content[4] == fcgi.REQUEST_COMPLETE, content
                self.ended = True
            elif kind == fcgi.STDOUT and content:
                return content
            else:
                assert kind == fcgi.STDOUT, (kind, content)
        return b""

    def piece(self):
        """What comes next; b"" at the proper end."""
        early, self.early = self.early, b""
        return early or self._record()

    def close(self):
        self.connection.close()


class HttpStream(Stream):
    def __init__(self, connection, response):
        self.connection = connection
        self.sock = connection.sock
        self.response = response
        super().__init__(response.status, response.getheaders())

    def piece(self):
        try:
            piece = self.response.read1(65536)
        except http.client.IncompleteRead as error:
            raise Broken(f"chunks without an end: {error}") from None
        except ConnectionError as error:
            raise Broken(str(error)) from None
        if not piece and self.response.length:
            raise Broken(f"{self.response.length} bytes of the length are missing")
        return piece

    def close(self):
        self.response.close()
        self.connection.close()


def opened(client, receive_buffer=None, patience=15.0, **request):
    """POST …/v1/stream; the stream, once its head is there. `patience` is ours, in seconds."""
    return asked(client, "POST", ROUTE, json.dumps(request).encode(),
                 [("Content-Type", "application/json")], patience, receive_buffer)


def asked(client, method, path, body=b"", headers=(), patience=15.0, receive_buffer=None):
    """Likewise, of any request; `receive_buffer` in bytes."""
    if isinstance(client, clients.FastCgiClient):
        connection = fcgi.Connection(client.address, patience)
        plain, _, query = path.partition("?")
        params = fcgi.params_of(method, client.prefix + plain, query, body, headers)
        connection.send(fcgi.request(params, body))
        return FcgiStream(connection)
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=patience)
    if receive_buffer:
        connection.sock = small_socket(client.port, receive_buffer, patience)
    try:
        connection.request(method, client.prefix + path, body or None, dict(headers))
        return HttpStream(connection, connection.getresponse())
    except (http.client.RemoteDisconnected, ConnectionError) as error:
        connection.close()
        raise Broken(str(error)) from None


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


def ends_a_broken_one_as_whole(name):
    """Some web servers end a body of unknown length as if it were whole, whatever they hear."""
    if name == "caddy":  # issue 5951, until 2.7.6
        words = subprocess.run([find_program("caddy"), "version"], capture_output=True, text=True)
        version = words.stdout.split()[0].removeprefix("v").split(".")
        return [int(n) for n in version[:3]] < [2, 7, 6]
    return name == "h2o"


def sent_request(client, **request):
    """The connection, once POST …/v1/stream is sent; the response is not read."""
    body = json.dumps(request).encode()
    if isinstance(client, clients.FastCgiClient):
        connection = fcgi.Connection(client.address)
        connection.send(fcgi.request(fcgi.params_of("POST", client.prefix + ROUTE, "", body), body))
        return connection
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=15)
    connection.request("POST", client.prefix + ROUTE, body)
    return connection


def small_socket(port, receive_buffer, patience=15.0):
    """Connected with a receive buffer that small, so that a reader who stops is felt at once."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(patience)
    sock.connect(("127.0.0.1", port))
    return sock


def curl(client, request, *options):
    """(curl's exit code, the body it got)"""
    argv = ["curl", "-sS", "--max-time", "20", "-H", "Content-Type: application/json", *options,
            "--data-binary", json.dumps(request),
            f"http://127.0.0.1:{client.port}{client.prefix}{ROUTE}"]
    done = subprocess.run(argv, capture_output=True, timeout=30)
    return done.returncode, done.stdout
