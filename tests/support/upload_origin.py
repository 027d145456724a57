"""An origin that says of each request's body what has come of it, and whether it was whole.

    def script(upload, answer):
        upload.read()  # all of it; upload.read(1000): until so many bytes have come
        answer(200, b"ok")

    with UploadOrigin(script) as origin:
        ...
        upload, = origin.uploads
        assert upload.is_whole and upload.size == 1 << 30

The script runs once for each request, as soon as its head has come.  Http2UploadOrigin does the
same for HTTP/2.
"""

import contextlib
import hashlib
import json
import threading

import h2.errors
import h2.events

from .scripted_origin import Ended, Http2Connection, Http2Origin, ScriptedConnection, ScriptedOrigin


class Upload:
    """One request; its body is hashed and dropped."""

    def __init__(self, method, target, fields):
        self.method = method
        self.target = target
        self.fields = fields
        self.size = 0
        self.is_whole = False  # its end has come
        self.is_over = False  # or will not come any more
        self._hash = hashlib.sha256()

    def header(self, name):
        return next((v.decode("latin-1") for n, v in self.fields
                     if n.lower() == name.lower().encode()), None)

    @property
    def sha256(self):
        return self._hash.hexdigest()

    def add(self, data):
        self.size += len(data)
        self._hash.update(data)

    def end(self, whole):
        self.is_whole = whole
        self.is_over = True

    def facts(self):
        """What most scripts answer."""
        return json.dumps({"size": self.size, "sha256": self.sha256}).encode()


def echo(upload, answer):
    upload.read()
    answer(200, upload.facts())


class Http1Upload(Upload):
    def __init__(self, connection, method, target, fields):
        super().__init__(method, target, fields)
        self.connection = connection
        self.chunked = "chunked" in (self.header("transfer-encoding") or "")
        self.left = 0 if self.chunked else int(self.header("content-length") or 0)

    def read(self, until=None):
        try:
            while not self.is_over and (until is None or self.size < until):
                self._read_some(until)
        except Ended:
            self.end(whole=False)
            raise

    def _read_some(self, until):
        if self.left > 0:
            most = self.left if until is None else min(self.left, until - self.size)
            data = self.connection.read_some(most)
            self.left -= len(data)
            self.add(data)
            if self.left == 0 and self.chunked:
                self.connection.read(2)
        elif self.chunked:
            self.left = int(self.connection.read_line(), 16)
            if self.left == 0:
                self.connection.read_line()
                self.end(whole=True)
        if self.left == 0 and not self.chunked:
            self.end(whole=True)


class Http1Connection(ScriptedConnection):
    def read_some(self, most):
        """From 1 to `most` bytes."""
        if not self.buffer:
            self._more()
        found, self.buffer = self.buffer[:most], self.buffer[most:]
        return found

    def read_line(self):
        return self._until(b"\r\n")

    def read_head(self):
        lines = self._until(b"\r\n\r\n").split(b"\r\n")
        method, target, _ = lines[0].decode("latin-1").split(" ", 2)
        fields = [(n, v.strip()) for n, v in (line.split(b":", 1) for line in lines[1:])]
        return Http1Upload(self, method, target, fields)

    def answer(self, status, body=b"", fields=()):
        head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}",
                *(f"{n}: {v}" for n, v in fields), "", ""]
        self.send("\r\n".join(head).encode() + body)


class UploadOrigin(ScriptedOrigin):
    def __init__(self, script=echo, certs=None):
        super().__init__(script, certs)
        self.uploads = []

    def _talk(self, sock, number):
        connection = Http1Connection(sock, number)
        while True:
            upload = connection.read_head()
            self.uploads.append(upload)
            self.script(upload, connection.answer)
            upload.read()  # what the script has left


class Http2Upload(Upload):
    def __init__(self, method, target, fields):
        super().__init__(method, target, fields)
        self.news = threading.Condition()

    def add(self, data):
        with self.news:
            super().add(data)
            self.news.notify_all()

    def end(self, whole):
        with self.news:
            if not self.is_over:
                super().end(whole)
            self.news.notify_all()

    def read(self, until=None):
        with self.news:
            self.news.wait_for(lambda: self.is_over or
                               (until is not None and self.size >= until), 60)
            if self.is_over and not self.is_whole:
                raise Ended


class Http2UploadConnection(Http2Connection):
    """Each stream's script has a thread."""

    def __init__(self, sock, number, origin):
        super().__init__(sock, number)
        self.origin = origin
        self.uploads = {}
        self.lock = threading.Lock()

    def serve_uploads(self):
        with self.lock:
            self.h2.initiate_connection()
            self.flush()
        try:
            while data := self.sock.recv(65536):
                with self.lock:
                    for event in self.h2.receive_data(data):
                        self._on_upload_event(event)
                    self.flush()
        except OSError:
            pass
        finally:
            for upload in self.uploads.values():
                upload.end(whole=False)

    def _on_upload_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            pseudo = {n: v.decode("latin-1") for n, v in event.headers if n.startswith(b":")}
            fields = [(n, v) for n, v in event.headers if not n.startswith(b":")]
            upload = Http2Upload(pseudo[b":method"], pseudo[b":path"], fields)
            self.uploads[event.stream_id] = upload
            self.origin.uploads.append(upload)
            threading.Thread(target=self._run, args=(upload, event.stream_id), daemon=True).start()
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.uploads[event.stream_id].add(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            self.uploads[event.stream_id].end(whole=True)
        elif isinstance(event, h2.events.StreamReset):
            self.uploads[event.stream_id].end(whole=False)

    def _run(self, upload, stream):
        def answer(status, body=b"", fields=(), reset=True):
            with self.lock:
                self.respond(stream, status, fields, body)
                if reset and not upload.is_over:  # as servers do that need no more of it
                    self.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)

        def refuse():
            with self.lock:
                self.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
            upload.end(whole=False)

        upload.refuse = refuse
        with contextlib.suppress(Ended):
            self.origin.script(upload, answer)


class Http2UploadOrigin(Http2Origin):
    def __init__(self, script=echo, certs=None):
        super().__init__(script, certs)
        self.uploads = []

    def _talk(self, sock, number):
        Http2UploadConnection(sock, number, self).serve_uploads()
