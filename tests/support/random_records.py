"""Sequences of FastCGI records by a seed: whole requests, and such as no web server sends."""

import json
import random
import socket
import struct

from . import fcgi
from .clients import FRAMES

KINDS = [*range(0, 13), 255]
FETCHES = ("/_fetch/v1/fetch", "/_fetch/v1/stream", "/_fetch/v1/batch")
OTHERS = ("/_fetch/healthz", "/_fetch/v1/sessions", "/_fetch/v1/status", "/_fetch/metrics", "/none")


class RandomPeer:
    """Makes what one connection sends. `urls` are those that its requests ask for."""

    def __init__(self, seed, urls):
        self.random = random.Random(seed)
        self.urls = urls

    def sequence(self):
        """Records in pieces, each to be sent at once."""
        records = []
        for _ in range(self.random.randint(1, 4)):
            records += self.mutated(self.request_records())
        data = b"".join(records)
        if self.chance(0.1):
            data = self.damaged(data)
        if self.chance(0.1):
            data = data[:self.random.randrange(len(data) + 1)]
        return self.pieces(data)

    def chance(self, probability):
        return self.random.random() < probability

    def body(self, target):
        """Of a POST to the target: mostly what it wants."""
        request = {"url": self.random.choice(self.urls)}
        if self.chance(0.2):
            request["timeout"] = {"total": 1, "idle": 0.5}
        if self.chance(0.1):
            return self.random.randbytes(40)
        batch = {"requests": [request] * 3}
        return json.dumps(batch if target.endswith("batch") else request).encode()

    def upload(self):
        """A request object's line and what follows it, mostly of the length that it says."""
        follows = self.random.choice((0, 1, 1000, 300_000))
        request = {"url": self.random.choice(self.urls), "body_follows":
                   follows if self.chance(0.5) else True, "timeout": {"total": 1, "idle": 0.5}}
        if self.chance(0.2):
            follows += self.random.choice((-1, 1, 50_000))
        return json.dumps(request).encode() + b"\n" + b"u" * follows

    def request_records(self):
        """One request, in records as a web server cuts them, or smaller."""
        request_id = 1 if self.chance(0.9) else self.random.choice((0, 2, 65535))
        target = self.random.choice(FETCHES if self.chance(0.8) else OTHERS)
        body = self.body(target)
        method = "POST" if self.chance(0.8) else self.random.choice(("GET", "PUT", "HEAD", "X"))
        if self.chance(0.2):
            headers, body = [("Content-Type", FRAMES)], self.upload()
        else:
            headers = [("X-A", "b" * 200)]
        params = fcgi.cgi_params(method, target, body=body, headers=headers)
        if self.chance(0.1):
            params["CURLEW_REQUEST"] = body.decode("latin-1").replace("\0", "")
        if self.chance(0.3):
            params["CURLEW_CLIENT"] = "random"
        if self.chance(0.1):
            params["CONTENT_LENGTH"] = self.random.choice(("-1", "0", "9" * 30, "7", "x"))
        chunk = self.random.choice((1 << 15, 1 << 15, 100, 7))
        return [fcgi.begin(request_id, self.chance(0.7), self.role()),
                *self.cut(fcgi.PARAMS, request_id, fcgi.pairs(params), chunk),
                *self.cut(fcgi.STDIN, request_id, body, chunk)]

    def role(self):
        return fcgi.RESPONDER if self.chance(0.95) else self.random.choice((0, 2, 3, 9))

    def cut(self, kind, request_id, data, chunk):
        parts = [data[i:i + chunk] for i in range(0, len(data), chunk)]
        return [fcgi.record(kind, request_id, part) for part in [*parts, b""]]

    def mutated(self, records):
        """The records with some dropped, doubled, swapped, or with strangers between them."""
        for _ in range(self.random.choice((0, 0, 0, 0, 1, 1, 2, 5))):
            at = self.random.randrange(len(records))
            how = self.random.randrange(5)
            if how == 0 and len(records) > 1:
                del records[at]
            elif how == 1:
                records.insert(at, records[at])
            elif how == 2:
                other = self.random.randrange(len(records))
                records[at], records[other] = records[other], records[at]
            elif how == 3:
                records.insert(at, self.any_record())
            else:
                records.insert(at, fcgi.record(fcgi.ABORT, 1))
        return records

    def any_record(self):
        content = self.random.randbytes(self.random.choice((0, 1, 8, 100, 5000)))
        length = self.random.choice((None, None, None, 0, 1, 65535))
        return fcgi.record(self.random.choice(KINDS), self.random.choice((0, 1, 2, 65535)), content,
                           version=self.random.choice((1, 1, 1, 0, 2, 255)),
                           padding=self.random.choice((None, 0, 255)), length=length)

    def damaged(self, data):
        data = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        return bytes(data)

    def pieces(self, data):
        found = []
        while data:
            size = self.random.choice((len(data), len(data), 1, 8, 9, 1000))
            found.append(data[:size])
            data = data[size:]
        return found

    def play(self, address, patience=10.0):
        """Send a sequence, read for a while or not at all, and leave in some way. True if the
        daemon has closed the connection, or there was nothing to wait for."""
        with fcgi.Connection(address, patience) as c:
            try:
                for piece in self.sequence():
                    c.send(piece)
                return self.leave(c)
            except (BrokenPipeError, ConnectionResetError):
                return True  # the daemon has closed it, as it may

    def leave(self, connection):
        how = self.random.randrange(8)
        if how > 3:
            return self.read_for_a_while(connection)
        if how == 0:
            return True
        if how == 1:
            linger = struct.pack("ii", 1, 0)
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return True
        if how == 2:
            connection.sock.recv(1) if self.is_answered(connection) else None
            return True
        connection.sock.shutdown(socket.SHUT_WR)
        return connection.closes_within(connection.sock.gettimeout())

    def read_for_a_while(self, connection):
        connection.sock.settimeout(0.3)
        try:
            connection.read_request_records()
        except (TimeoutError, ConnectionError, fcgi.IncompleteResponse, KeyError):
            pass  # the daemon is not bound to answer any of this
        return True

    def is_answered(self, connection):
        connection.sock.settimeout(0.05)
        try:
            return bool(connection.sock.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return False
