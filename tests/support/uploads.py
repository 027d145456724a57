"""Requests whose body follows the request object, written piece by piece on FastCGI.

    with UploadCall(daemon.socket, {"url": url, "body_follows": True}) as call:
        call.write(b"one")
        call.end()
        response = call.response()
"""

import hashlib
import json
import threading

from . import fcgi
from .clients import FRAMES


CHUNK = bytes(range(256)) * 256  # of a body that tests can tell again


def pieces(size):
    """A body of so many bytes, in pieces."""
    for at in range(0, size, len(CHUNK)):
        yield CHUNK[:size - at]


def sha256(size):
    """The digest of that body."""
    found = hashlib.sha256()
    for piece in pieces(size):
        found.update(piece)
    return found.hexdigest()


def line_of(request):
    return request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"


class UploadCall:
    def __init__(self, address, request, path="/v1/fetch", length=None, keep=False, headers=(),
                 connection=None, request_id=1):
        """`length` is CONTENT_LENGTH; `connection` is one that was kept."""
        self.request_id = request_id
        self.connection = connection or fcgi.Connection(address)
        params = fcgi.cgi_params("POST", "/_fetch" + path,
                                 headers=[("Content-Type", FRAMES), *headers])
        params["CONTENT_LENGTH"] = "" if length is None else str(length)
        self.connection.send(fcgi.begin(request_id, keep)
                             + fcgi.stream(fcgi.PARAMS, request_id, fcgi.pairs(params)))
        self.write(line_of(request))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def write(self, data):
        for i in range(0, len(data), fcgi.MAX_CONTENT):
            self.connection.send(fcgi.record(fcgi.STDIN, self.request_id,
                                             data[i:i + fcgi.MAX_CONTENT]))

    def write_later(self, pieces, end=True):
        """On a thread; the daemon may stop reading."""
        def run():
            try:
                for piece in pieces:
                    self.write(piece)
                if end:
                    self.end()
            except OSError:  # the daemon has answered and closed
                pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def end(self):
        self.connection.send(fcgi.record(fcgi.STDIN, self.request_id))

    def abort(self):
        self.connection.send(fcgi.record(fcgi.ABORT, self.request_id))

    def response(self):
        return self.connection.read_response(self.request_id)


def upload(address, request, body, **options):
    """The response to a whole upload; `body` is bytes, or pieces."""
    pieces = [body] if isinstance(body, bytes) else body
    with UploadCall(address, request, **options) as call:
        call.write_later(pieces)
        return call.response()
