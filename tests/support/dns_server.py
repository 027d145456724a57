"""A DNS server that says what a test's script says, over UDP and TCP on the same port.

    def script(query):
        return query.answer("127.0.0.1") if query.name == "a.test" else query.error(NXDOMAIN)

    with DnsServer(script) as dns:
        path.write_text(f"nameserver {dns.host}")

The script gives back the message, a list of messages, or None for silence; it may sleep: each
query has a thread of its own.
"""

import functools
import ipaddress
import socket
import struct
import threading
from dataclasses import dataclass

A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
RESPONSE, TRUNCATED, RECURSION = 0x8000, 0x0200, 0x0180
NAME_OF_QUESTION = b"\xc0\x0c"  # a pointer to it


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(kind, data, ttl=60, name=NAME_OF_QUESTION):
    name = encode_name(name) if isinstance(name, str) else name
    return name + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def address_record(address, ttl=60, name=NAME_OF_QUESTION):
    packed = ipaddress.ip_address(address).packed
    return record(A if len(packed) == 4 else AAAA, packed, ttl, name)


@dataclass
class Query:
    name: str
    kind: int
    over_tcp: bool
    raw: bytes

    def message(self, records=(), error=0, flags=0, question=None, number=None):
        """Any response; `question` is its raw bytes, `number` its id, where they are not ours."""
        number = self.raw[:2] if number is None else number
        question = self.question if question is None else question
        counts = struct.pack(">HHHH", 1 if question else 0, len(records), 0, 0)
        return (number + struct.pack(">H", RESPONSE | RECURSION | flags | error) + counts
                + question + b"".join(records))

    @property
    def question(self):
        return encode_name(self.name) + struct.pack(">HH", self.kind, 1)

    def answer(self, *addresses, ttl=60):
        """Those of the kind that was asked for; none is an empty answer."""
        version = {A: 4, AAAA: 6}.get(self.kind)
        return self.message([address_record(a, ttl) for a in addresses
                             if ipaddress.ip_address(a).version == version])

    def error(self, code):
        return self.message(error=code)


def parse_query(raw, over_tcp):
    labels, at = [], 12
    while raw[at]:
        labels.append(raw[at + 1:at + 1 + raw[at]].decode("latin-1"))
        at += 1 + raw[at]
    kind, _ = struct.unpack(">HH", raw[at + 1:at + 5])
    return Query(".".join(labels).lower(), kind, over_tcp, raw)


def _receive(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


class DnsServer:
    def __init__(self, script, host="127.0.0.1", port=0):
        self.script = script
        self.host = host
        self.queries = []
        self.errors = []
        self.tcp = socket.create_server((host, port), backlog=64)
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((host, self.port))
        for loop in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """A script that raised fails the test here."""
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)  # close() alone leaves a waiting thread be
            except OSError:
                pass
            sock.close()
        assert not self.errors, self.errors

    def asked(self, name):
        return [q for q in self.queries if q.name == name]

    def _respond(self, raw, over_tcp, send):
        try:
            query = parse_query(raw, over_tcp)
            self.queries.append(query)
            said = self.script(query)
        except Exception as error:  # a bug in the script: told by stop()
            self.errors.append(error)
            return
        for message in [said] if isinstance(said, bytes) else said or []:
            try:
                send(message)
            except OSError:
                return

    def _serve_udp(self):
        while True:
            try:
                raw, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not raw:  # after shutdown()
                return
            args = (raw, False, functools.partial(self._send_udp, peer))
            threading.Thread(target=self._respond, args=args, daemon=True).start()

    def _send_udp(self, peer, message):
        self.udp.sendto(message, peer)

    def _serve_tcp(self):
        while True:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_stream, args=(sock,), daemon=True).start()

    def _serve_stream(self, sock):
        with sock:
            try:
                while True:
                    size, = struct.unpack(">H", _receive(sock, 2))
                    self._respond(_receive(sock, size), True, lambda message: sock.sendall(
                        struct.pack(">H", len(message)) + message))
            except OSError:
                return
