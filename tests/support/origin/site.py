"""Serves a site of one's own: python … CERTS [--host ADDRESS] [--http PORT] [--https PORT].

    asyncio.run(serve(Site, read_options()))

prints one line of JSON with the ports, over HTTP/1.1 and over TLS and HTTP/2, and ends by a signal.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from . import server


def read_options():
    p = argparse.ArgumentParser()
    p.add_argument("certs", type=Path, help="a directory with server.pem and server.key")
    p.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    p.add_argument("--http", type=int, default=0, help="a port; 0: a free one")
    p.add_argument("--https", type=int, default=0, help="a port; 0: a free one")
    return p.parse_args()


async def serve(site, options, beside=None):
    """`beside(ports)` starts what stands beside the site; its ports by name are printed, too."""
    origin = server.Origin(site)
    tls = server.tls_context(options.certs, alpn=("h2", "http/1.1"))
    ports = {"http": await origin.listen([options.host], options.http),
             "https": await origin.listen([options.host], options.https, tls=tls)}
    if beside is not None:
        ports |= await beside(ports)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(json.dumps(ports), flush=True)
    await stop.wait()
