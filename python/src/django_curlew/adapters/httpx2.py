"""httpx2 through Curlew, and so the SDKs that use it (OpenAI, Anthropic, huggingface_hub).

    from django_curlew.adapters.httpx2 import AsyncCurlewTransport, CurlewTransport

    client = openai.OpenAI(http_client=httpx2.Client(transport=CurlewTransport()))

All that django_curlew.adapters.httpx says is true of this module, too; it does not import httpx.
"""

from __future__ import annotations

import httpx2

from . import _httpx_transport as transport


class _Body(transport.Body, httpx2.SyncByteStream):
    pass


class _AsyncBody(transport.AsyncBody, httpx2.AsyncByteStream):
    pass


class CurlewTransport(transport.Transport, httpx2.BaseTransport):
    """For httpx2.Client. `daemon`: a Daemon in place of the one in the settings; the keywords are
    explained in the module."""

    package = httpx2
    body_class = _Body


class AsyncCurlewTransport(transport.AsyncTransport, httpx2.AsyncBaseTransport):
    """For httpx2.AsyncClient, on asyncio. Cancelling a request cancels the fetch. `daemon`: a
    Daemon in place of the one in the settings; the keywords are explained in the module."""

    package = httpx2
    body_class = _AsyncBody
