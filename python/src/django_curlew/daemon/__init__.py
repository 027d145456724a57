"""The ways to curlewd: FastCGI or HTTP, UNIX socket or TCP, blocking or on an event loop.

    from django_curlew import daemon

    d = daemon.current()                              # what the settings or CURLEW_URL name
    d = daemon.Daemon("fcgi+unix:/run/curlew/curlew.sock", token=None)

    reply = d.exchange("POST", "/v1/fetch", body=b'{"url": "https://example.org/"}', timeout=35)
    reply = await d.aexchange("GET", "/v1/status", idempotent=True, timeout=5)
    reply.status, reply.header("content-type"), reply.headers, reply.body

    with d.open("POST", "/v1/stream", body=…, timeout=30) as stream:      # timeout: of the head
        stream.status, stream.headers                                     # [(b"Name", b"value")]
        for piece in stream: …                                            # or stream.read(timeout)
    async with await d.aopen("POST", "/v1/stream", body=…) as stream:
        async for piece in stream: …                                      # or await stream.read()

`Daemon.call` explains the arguments, `address` the URLs, `errors` what is raised, `replay` when a
request is sent twice, `sockets` how connections are kept. Over FastCGI, `params={…}` gives all
parameters instead: what a web server would send.
"""

from .address import Address, parse
from .aio import AsyncStream
from .call import Reply
from .client import Daemon
from .current import current, using
from .errors import (
    AddressError,
    IncompleteResponse,
    DaemonError,
    DaemonTimeout,
    ProtocolError,
    NoResponse,
    ResponseTooLarge,
    Unreachable,
)
from .replay import IDEMPOTENT
from .sync import Stream

FRAMES = "application/vnd.curlew.frames"

__all__ = [
    "FRAMES",
    "IDEMPOTENT",
    "Address",
    "AddressError",
    "AsyncStream",
    "IncompleteResponse",
    "Daemon",
    "DaemonError",
    "DaemonTimeout",
    "ProtocolError",
    "NoResponse",
    "Reply",
    "Stream",
    "ResponseTooLarge",
    "Unreachable",
    "current",
    "parse",
    "using",
]
