"""A FastCGI responder that answers each request with its parameters, as JSON."""

import json
import shutil
import socketserver
import threading

from . import fcgi
from .procs import temp_dir


def parse_pairs(data):
    """The name-value pairs of a PARAMS stream."""
    found, at = {}, 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            long = data[at] >= 128
            sizes.append(int.from_bytes(data[at:at + 4], "big") & 0x7FFFFFFF if long else data[at])
            at += 4 if long else 1
        name, value = data[at:at + sizes[0]], data[at + sizes[0]:at + sum(sizes)]
        found[name.decode("latin-1")] = value.decode("latin-1")
        at += sum(sizes)
    return found


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        connection = fcgi.Connection.__new__(fcgi.Connection)
        connection.sock = self.request
        connection.sock.settimeout(15)
        try:
            while self.answer(connection):
                pass
        except (fcgi.IncompleteResponse, OSError):
            pass  # the web server closed a connection that it had kept

    def answer(self, connection):
        """One request; whether the connection is kept."""
        params, keep = b"", False
        while True:
            kind, request_id, content = connection.read_record()
            if kind == fcgi.BEGIN:
                keep = bool(content[2] & fcgi.KEEP_CONN)
            elif kind == fcgi.PARAMS:
                params += content
            elif kind == fcgi.STDIN and not content:
                break
        body = json.dumps(parse_pairs(params)).encode()
        head = b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n"
        connection.send(fcgi.stream(fcgi.STDOUT, request_id, head + body)
                        + fcgi.record(fcgi.END, request_id, bytes(8)))
        return keep


class ParamsResponder(socketserver.ThreadingUnixStreamServer):
    """A responder whose thread runs within `with`; `address` is its Unix socket."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        self.directory = temp_dir()
        self.address = self.directory / "fcgi.sock"
        super().__init__(str(self.address), Handler)
        self.address.chmod(0o666)  # web servers change their user

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        shutil.rmtree(self.directory, ignore_errors=True)
