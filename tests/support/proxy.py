"""A small forward proxy for the tests: HTTP (CONNECT and absolute URLs) and SOCKS on one port.

    python -m tests.support.proxy [--user NAME --password WORD]

prints its port. Every request is a line on standard output: what was asked for, and whether the
password was right. A target of the host "refused.test" is refused, "silent.test" never answered;
any other *.test host is this machine.
"""

import argparse
import asyncio
import base64
import signal
import struct

REFUSED, SILENT = "refused.test", "silent.test"


class Proxy:
    def __init__(self, user, password):
        self.credentials = (user, password) if user else None

    async def serve(self, reader, writer):
        try:
            first = await reader.readexactly(1)
            kind = {b"\x05": self.socks5, b"\x04": self.socks4}.get(first)
            await (kind(reader, writer) if kind else self.http(first, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def http(self, first, reader, writer):
        head = first + await reader.readuntil(b"\r\n\r\n")
        line, *headers = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        print("http", method, target, flush=True)
        if self.credentials and not self.basic_is_right(headers):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                         b'Proxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n')
            return
        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
            far = await self.reach(host, int(port), writer)
            if far:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await self.relay(reader, writer, *far)
            return
        await self.forward(method, target, headers, reader, writer)

    async def forward(self, method, target, headers, reader, writer):
        """http://host:port/path, one request a connection."""
        hostport, _, path = target.removeprefix("http://").partition("/")
        host, _, port = hostport.partition(":")
        far = await self.reach(host, int(port or 80), writer)
        if far:
            kept = [h for h in headers if not h.lower().startswith(("proxy-", "connection:"))]
            head = "\r\n".join([f"{method} /{path} HTTP/1.1", *kept, "Connection: close"])
            far[1].write((head + "\r\n\r\n").encode("latin-1"))
            await self.relay(reader, writer, *far)

    async def reach(self, host, port, writer):
        if host == SILENT:
            await asyncio.sleep(3600)
        try:
            if host == REFUSED:
                raise ConnectionRefusedError
            host = "127.0.0.1" if host.endswith(".test") else host.strip("[]")
            return await asyncio.open_connection(host, port)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return None

    def basic_is_right(self, headers):
        right = base64.b64encode(":".join(self.credentials).encode()).decode()
        return any(h.lower().startswith("proxy-authorization:") and h.endswith(f"Basic {right}")
                   for h in headers)

    async def socks4(self, reader, writer):
        """SOCKS4, and 4A, where the name follows an address of 0.0.0.x."""
        _, port, raw = struct.unpack(">BH4s", await reader.readexactly(7))
        await reader.readuntil(b"\0")
        named = raw[:3] == bytes(3) and raw[3] != 0
        host = ".".join(map(str, raw))
        if named:
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        print("socks4", "name" if named else "address", f"{host}:{port}", flush=True)
        far = await asyncio.open_connection("127.0.0.1" if host.endswith(".test") else host, port)
        writer.write(b"\x00\x5a" + bytes(6))
        await self.relay(reader, writer, *far)

    async def socks5(self, reader, writer):
        """RFC 1928, and RFC 1929 for the password."""
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 2 if self.credentials else 0
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, wanted]))
        if self.credentials and not await self.password_is_right(reader, writer):
            return
        host, port, kind = await self.socks_target(reader)
        print("socks5", kind, f"{host}:{port}", flush=True)
        if host == REFUSED:
            writer.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        far = await asyncio.open_connection("127.0.0.1" if host.endswith(".test") else host, port)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await self.relay(reader, writer, *far)

    async def password_is_right(self, reader, writer):
        await reader.readexactly(1)
        given = tuple([(await reader.readexactly((await reader.readexactly(1))[0])).decode()
                       for _ in range(2)])
        right = given == self.credentials
        writer.write(b"\x01\x00" if right else b"\x01\x01")
        return right

    async def socks_target(self, reader):
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            raw = await reader.readexactly(4 if kind == 1 else 16)
            host = ".".join(map(str, raw)) if kind == 1 else "::1"
        port, = struct.unpack(">H", await reader.readexactly(2))
        return host, port, "name" if kind == 3 else "address"

    async def relay(self, reader, writer, far_reader, far_writer):
        async def pump(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def main():
    p = argparse.ArgumentParser(prog="python -m tests.support.proxy")
    p.add_argument("--user")
    p.add_argument("--password", default="")
    opt = p.parse_args()
    server = await asyncio.start_server(Proxy(opt.user, opt.password).serve, "127.0.0.1", 0)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
