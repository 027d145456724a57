"""A daemon that runs one script of a test's for each connection, in order."""

import socket
import struct
import tempfile
import threading
from pathlib import Path

END = struct.pack(">BBHHBx", 1, 3, 1, 8, 0) + bytes(8)


def record(kind, content, version=1):
    return struct.pack(">BBHHBx", version, kind, 1, len(content), 0) + content


def response(body=b"ok", status=200):
    return record(6, b"Status: %d X\r\n\r\n" % status + body) + END


class FakeDaemon:
    """`scripts`: for each connection to come a function of its socket, run in a thread."""

    def __init__(self, *scripts, tcp=False, backlog=16, protocol="fcgi"):
        self.directory = tempfile.TemporaryDirectory()
        self.listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        path = str(Path(self.directory.name) / "s")
        self.listener.bind(("127.0.0.1", 0) if tcp else path)
        self.listener.listen(backlog)
        self.url = f"{protocol}://127.0.0.1:{self.listener.getsockname()[1]}" if tcp \
            else f"{protocol}+unix:{path}"
        self.scripts = list(scripts)
        self.accepted = 0
        self.errors = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for script in self.scripts:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                script(sock)
            except Exception as err:
                self.errors.append(err)
            finally:
                sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        self.directory.cleanup()
        assert not self.errors, self.errors


def read_request(sock):
    """To the end of STDIN."""
    for _ in read_records(sock):
        pass


def read_records(sock):
    """(kind, content) of each record of a request, the last one being the end of STDIN."""
    sock.settimeout(10)
    while True:
        head = read_exactly(sock, 8)
        _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
        content = read_exactly(sock, length + padding)[:length]
        yield kind, content
        if kind == 5 and length == 0:
            return


def read_upload(sock):
    """(parameters, body, the sizes of its pieces) of a request."""
    params, pieces = b"", []
    for kind, content in read_records(sock):
        params += content if kind == 4 else b""
        pieces += [content] if kind == 5 and content else []
    return decode_params(params), b"".join(pieces), [len(piece) for piece in pieces]


def decode_params(data):
    params = {}
    while data:
        sizes = []
        for _ in range(2):
            wide = data[0] >> 7
            sizes.append(int.from_bytes(data[:4], "big") & 0x7FFFFFFF if wide else data[0])
            data = data[4 if wide else 1:]
        name, value = sizes
        params[data[:name].decode()] = data[name:name + value].decode()
        data = data[name + value:]
    return params


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        assert piece, "the client left"
        data += piece
    return data
