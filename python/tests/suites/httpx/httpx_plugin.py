"""Makes CurlewTransport what httpx.Client() uses, and so of AsyncClient(); and gives the suite's
server a port of its own, in place of 8000."""

import functools
import socket

import httpx
import httpx._client
import httpx._transports.default
from uvicorn.config import Config

from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport

REPLACED = {"HTTPTransport": CurlewTransport, "AsyncHTTPTransport": AsyncCurlewTransport}
for module in (httpx, httpx._client, httpx._transports, httpx._transports.default):
    for name, transport in REPLACED.items():
        setattr(module, name, transport)

with socket.create_server(("127.0.0.1", 0)) as unused:
    PORT = unused.getsockname()[1]
Config.__init__ = functools.partialmethod(Config.__init__, port=PORT)
