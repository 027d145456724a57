"""Responses of …/v1/batch, line by line."""

import http.client
import json
import time

from . import fcgi
from .response import parse_cgi_response


def parse_lines(body):
    assert body == b"" or body.endswith(b"\n"), body[-200:]
    return [json.loads(line) for line in body.splitlines()]


def parse_frames(body):
    """(envelope, bytes) of each."""
    frames = []
    while body:
        line, body = body.split(b"\n", 1)
        envelope = json.loads(line)
        n = envelope["body_bytes"]
        assert body[n:n + 1] == b"\n", envelope
        frames.append((envelope, body[:n]))
        body = body[n + 1:]
    return frames


class Lines:
    """A batch under way: (envelope, seconds since it was asked for) of each line as it arrives."""

    def __init__(self, client, batch, timeout=15.0):
        body = json.dumps(batch).encode()
        self.start = time.monotonic()
        self.source = (_http if hasattr(client, "port") else _socket)(client, body, timeout)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.source.close()

    def __iter__(self):
        return self

    def __next__(self):
        while b"\n" not in self.held:
            self.held += next(self.source)
        line, self.held = self.held.split(b"\n", 1)
        return json.loads(line), time.monotonic() - self.start


def _http(client, body, timeout):
    """The pieces of the body as a web server passes them on."""
    c = http.client.HTTPConnection("127.0.0.1", client.port, timeout=timeout)
    c.request("POST", f"{client.prefix}/v1/batch", body=body)

    def pieces():
        r = c.getresponse()
        assert r.status == 200, r.read()
        while piece := r.read1(65536):
            yield piece

    return _started(c, pieces())


def _socket(client, body, timeout):
    """The pieces of the body as the daemon frames them."""
    c = fcgi.Connection(client.address, timeout)
    params = fcgi.cgi_params("POST", client.prefix + "/v1/batch", body=body)
    c.send(fcgi.request(params, body))

    def pieces():
        head = b""
        while b"\r\n\r\n" not in head:
            head += c.read_record()[2]
        response = parse_cgi_response(head)
        assert response.status == 200, response
        piece, kind = response.body, fcgi.STDOUT
        while kind == fcgi.STDOUT:
            yield piece
            kind, _, piece = c.read_record()
        assert kind == fcgi.END

    return _started(c, pieces())


def _started(connection, pieces):
    """A generator that is closed before its first step would not close its connection."""
    def whole():
        try:
            yield b""
            yield from pieces
        finally:
            connection.close()

    generator = whole()
    next(generator)
    return generator
