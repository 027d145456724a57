"""A network namespace in which every address that there is belongs to this machine. Needs root.

Whoever connects to an address there, public, private or loopback, reaches a listener of the test,
which knows the address.  Names are resolved by the test's own DNS server.
"""

import collections
import contextlib
import ipaddress
import socket
import threading

from .dns_server import CNAME, DnsServer, encode_name, record
from .namespaces import Namespace

IPV6_FREEBIND = 78  # <linux/in6.h>
NO_HTTP = b"\4\5\x16"  # the first byte of SOCKS and of TLS


class OwnNetwork(Namespace):
    def __init__(self):
        super().__init__("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        self.run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo")
        self.run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo")
        self._made = []

    def start(self, make, *args):
        """What make(*args) makes in this network; its stop() is called at the end."""
        with self.inside():
            self._made.append(make(*args))
        return self._made[-1]

    def __exit__(self, *error):
        for made in self._made:
            made.stop()
        super().__exit__(*error)


class Listener:
    """Listens on a port of every address, or of one, and notes which address was reached.

    `script` makes a reply from each head, HTTP's or the first bytes of SOCKS or TLS; None ends it.
    """

    def __init__(self, port, script, address="::"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self.listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            self.listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.listener.bind((address, port))
        self.listener.listen(512)
        self.reached = []  # an address for each connection
        self.heads = []
        self.script = script
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self):
        self.reached.clear()
        self.heads.clear()

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                address = ipaddress.ip_address(sock.getsockname()[0].split("%")[0])
                self.reached.append(str(getattr(address, "ipv4_mapped", None) or address))
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            buffer = b""
            while data := sock.recv(65536):
                buffer += data
                if buffer[:1] in NO_HTTP or b"\r\n\r\n" in buffer:
                    head, buffer = buffer, b""
                    self.heads.append(head)
                    if (reply := self.script(head)) is None:
                        return
                    sock.sendall(reply)


class UdpListener:
    """Takes every packet to a port of every address, says nothing, and notes who was sent one."""

    def __init__(self, port):
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self.sock.bind(("::", port))
        self.reached = set()
        threading.Thread(target=self._receive, daemon=True).start()

    def stop(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _receive(self):
        with contextlib.suppress(OSError):
            while True:
                data, infos, *_ = self.sock.recvmsg(2048, 256)
                for _, kind, info in infos:
                    if data and kind == socket.IPV6_PKTINFO:
                        address = ipaddress.ip_address(info[:16])
                        self.reached.add(str(address.ipv4_mapped or address))


def dns_server(records):
    """The network's DNS server: records(name, type, times) are (owner, type, text), of TTL 0.

    `times` counts the questions for this name and type that came before.
    """
    asked = collections.Counter()

    def script(query):
        times = asked[query.name, query.kind]
        asked[query.name, query.kind] += 1
        return query.message([record(kind, _data(kind, text), 0, owner)
                              for owner, kind, text in records(query.name, query.kind, times)])

    return DnsServer(script, port=53)


def _data(kind, text):
    return encode_name(text) if kind == CNAME else ipaddress.ip_address(text).packed
