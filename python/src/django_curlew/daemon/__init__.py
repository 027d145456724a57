"""The client of curlewd: by FastCGI or HTTP, over a UNIX socket or TCP, blocking or async.

    from django_curlew import daemon

    d = daemon.current()                              # from the settings or CURLEW_URL
    d = daemon.Daemon("fcgi+unix:/run/curlew/curlew.sock", token=None)

    response = d.exchange("POST", "/v1/fetch", body=b'{"url": "https://example.org/"}', timeout=35)
    response = await d.aexchange("GET", "/v1/status", idempotent=True, timeout=5)
    response.status, response.header("content-type"), response.headers, response.body

    with d.open("POST", "/v1/stream", body=…, timeout=30) as stream:      # timeout: for the head
        stream.status, stream.headers                                     # [(b"Name", b"value")]
        for piece in stream: …                                            # or stream.read(timeout)
    async with await d.aopen("POST", "/v1/stream", body=…) as stream:
        async for piece in stream: …                                      # or await stream.read()

    envelope, stream = d.open_fetch(body=b'{"url": "https://example.org/"}')   # or aopen_fetch()

    upload = daemon.Upload(open("video", "rb"), request_object={"url": …, "method": "PUT"})
    response = d.exchange("POST", "/v1/fetch", body=upload)               # sent piece by piece

`Daemon.build_request` explains the arguments, `address` the URLs, `upload` bodies of any size,
`errors` what is raised, `resend` when a request is sent twice, `connection_pool` how connections
are kept.
"""

from .address import Address, parse_address
from .aio import AsyncStream
from .body_source import BodySource, file_length, file_position
from .client import Daemon
from .current import current, is_replaced, using
from .errors import (
    AddressError,
    DaemonError,
    DaemonTimeout,
    IncompleteResponse,
    NoResponse,
    ProtocolError,
    ResponseTooLarge,
    Unreachable,
    UploadError,
)
from .fetch_stream import FRAMES, FetchFailed
from .models import Response
from .resend import IDEMPOTENT
from .sync import Stream
from .upload import MAX_INLINE_BYTES, MAX_RETRIED_BYTES, Upload, is_inline

__all__ = [
    "FRAMES",
    "IDEMPOTENT",
    "MAX_INLINE_BYTES",
    "MAX_RETRIED_BYTES",
    "Address",
    "AddressError",
    "AsyncStream",
    "BodySource",
    "Daemon",
    "DaemonError",
    "DaemonTimeout",
    "FetchFailed",
    "IncompleteResponse",
    "NoResponse",
    "ProtocolError",
    "Response",
    "ResponseTooLarge",
    "Stream",
    "Unreachable",
    "Upload",
    "UploadError",
    "current",
    "file_length",
    "file_position",
    "is_inline",
    "is_replaced",
    "parse_address",
    "using",
]
