"""httpx through Curlew.

    from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport

    client = httpx.Client(transport=CurlewTransport())
    client = httpx.AsyncClient(transport=AsyncCurlewTransport(session="scraper", verify=False))

The transport holds no connection: a client may be made for each request at no cost, or be kept for
ever, and be used from any thread, an async one from any event loop of asyncio's. Redirects,
cookies, authentication and decoding are httpx's own.

It takes the arguments of httpx.HTTPTransport, by keyword:

    verify              True, False, the path of certificates, or an SSLContext: its certificates.
                        Those of a directory, and a client's, can't be read from a context
    proxy               a URL, or an httpx.Proxy without headers and without an SSLContext
    retries             how often to repeat what could not connect, or an object (docs/api.md)
    http1, http2        http2=True: HTTP/2 over TLS, if the origin has it
    limits              max_connections: how many responses may be open at once; else no limit.
                        Kept connections are the daemon's: `idle_connections` of a session
    trust_env,          accepted, without an effect: the daemon uses no proxy of the environment,
    socket_options      and keeps its connections alive itself
    cert, uds,          ValueError
    local_address

Further ones are keys of Curlew's request object for every request: `session`, `http_version`,
`max_recv_speed`, …; any other keyword is a TypeError. Of a client's timeouts `connect` is the
daemon's, `read` its `idle`, also while a request is sent, and `pool` the time to wait for
`max_connections`.

`response.extensions` has `http_version`, `reason_phrase`, `network_stream` (its get_extra_info()
knows `server_addr` and `client_addr`), and `curlew`: the envelope of docs/api.md, without a body.
"""

from __future__ import annotations

import httpx

from . import _httpx_transport as transport


class _Body(transport.Body, httpx.SyncByteStream):
    pass


class _AsyncBody(transport.AsyncBody, httpx.AsyncByteStream):
    pass


class CurlewTransport(transport.Transport, httpx.BaseTransport):
    """For httpx.Client. `daemon`: a Daemon in place of the one in the settings; the keywords are
    explained in the module."""

    package = httpx
    body_class = _Body


class AsyncCurlewTransport(transport.AsyncTransport, httpx.AsyncBaseTransport):
    """For httpx.AsyncClient, on asyncio. Cancelling a request cancels the fetch. `daemon`: a Daemon
    in place of the one in the settings; the keywords are explained in the module."""

    package = httpx
    body_class = _AsyncBody
