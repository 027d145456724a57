"""A small HTTP server in place of a vendor's: StandIn({"POST /v1/things": answer}).

`answer(call)` gets a Call, and responds by one of its methods.
"""

import json
import ssl
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Call:
    """A request, and the ways to respond to it."""

    def __init__(self, handler, number):
        parts = urlsplit(handler.path)
        self.method = handler.command
        self.path = parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.headers = handler.headers
        self.number = number  # how many have asked the same method and path, from 1
        self.body = _read_body(handler)
        self._handler = handler

    def json(self):
        return json.loads(self.body)

    def parts(self):
        """The parts of a multipart body: name → (filename, content)."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        return {
            part.get_param("name", header="content-disposition"): (
                part.get_filename(),
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        }

    def respond(self, status=200, body=b"", headers=()):
        """A whole response; a body that is not bytes is sent as JSON."""
        fields = dict(headers)
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("Content-Type", "application/json")
        fields.setdefault("Content-Length", str(len(body)))
        self._begin(status, fields)
        if self.method != "HEAD":
            self._handler.wfile.write(body)

    def stream(self, pieces, content_type, pause=0.0):
        """A response without a length: pieces of bytes, `pause` seconds before all but the first.
        """
        self._begin(200, {"Content-Type": content_type, "Transfer-Encoding": "chunked"})
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self._handler.wfile.write(b"0\r\n\r\n")

    def events(self, events, pause=0.0):
        """Server-sent events: (name or None, data)."""
        self.stream([_event(*event) for event in events], "text/event-stream", pause)

    def hold(self):
        """No response, until the client has left. True if it did."""
        self._handler.connection.settimeout(20)
        try:
            gone = self._handler.connection.recv(1) == b""
        except OSError:
            gone = False
        self.close()
        return gone

    def close(self):
        """End the connection after this response."""
        self._handler.close_connection = True

    def _begin(self, status, fields):
        self._handler.send_response(status)
        for name, value in fields.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


def _event(name, data):
    text = data if isinstance(data, str) else json.dumps(data)
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {text}\n\n".encode()


def _read_body(handler):
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


class StandIn:
    """`routes`: "METHOD /path" → answer(call), or "METHOD /path/*" for all below it. `calls` has
    all requests. `certs`: a directory of tests.support.certs, for https."""

    def __init__(self, routes, certs=None):
        self.calls = []
        self.failures = []
        self._routes = routes
        self._lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:  # the client has left
                    self.close_connection = True

            def do_GET(self):
                stand_in.handle(self)

            do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certs is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certs / "server.pem", certs / "server.key")
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certs is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        assert self.failures == []

    def handle(self, handler):
        key = f"{handler.command} {urlsplit(handler.path).path}"
        with self._lock:
            number = 1 + sum(f"{c.method} {c.path}" == key for c in self.calls)
            call = Call(handler, number)
            self.calls.append(call)
        answer = self._find(key)
        if answer is None:
            self.failures.append(f"{key}: no such route")
            call.respond(404, {"error": {"message": "no such route"}})
            return
        try:
            answer(call)
        except ConnectionError:
            raise
        except Exception as error:
            self.failures.append(repr(error))
            raise

    def _find(self, key):
        if key in self._routes:
            return self._routes[key]
        for pattern, answer in self._routes.items():
            if pattern.endswith("*") and key.startswith(pattern[:-1]):
                return answer
        return None
