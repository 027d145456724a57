"""Runs the origin until it gets a signal; see the package's docstring."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from . import pages, server


def options():
    p = argparse.ArgumentParser(prog="python -m tests.support.origin")
    p.add_argument("--host", action="append", help="an address to listen on; may be repeated")
    p.add_argument("--port", type=int, default=0, help="of plain HTTP/1.1; 0: a free one")
    p.add_argument("--certs", type=Path, help="a directory made by certs.make_certs(): TLS too")
    return p.parse_args()


async def listen(origin, hosts, opt):
    """Every port by its name; and what must stay open."""
    ports = {"http": await origin.listen(hosts, opt.port),
             "h2c": await origin.listen(hosts, prior_knowledge=True)}
    ports["never"], held = server.never_accepting(hosts[0])
    if opt.certs:
        tls = {
            "https": server.tls_context(opt.certs),
            "h2": server.tls_context(opt.certs, alpn=("h2", "http/1.1")),
            "mtls": server.tls_context(opt.certs, client_ca="ca"),
            "elsewhere": server.tls_context(opt.certs, cert="elsewhere"),
        }
        for name, context in tls.items():
            ports[name] = await origin.listen(hosts, tls=context)
    return ports, held


async def main():
    opt = options()
    origin = server.Origin(pages)
    hosts = opt.host or ["127.0.0.1", "127.0.0.2", "::1"]
    ports, held = await listen(origin, hosts, opt)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(json.dumps(ports), flush=True)
    await stop.wait()
    for s in held:
        s.close()


if __name__ == "__main__":
    asyncio.run(main())
