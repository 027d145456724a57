"""`curl_infos`: what the envelope says of libcurl's informations about a transfer.

The values have libcurl's types and units. What the envelope does not have raises Unsupported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable

from ..const import CurlInfo
from .exceptions import Unsupported

if TYPE_CHECKING:
    from .models import Response

Get = Callable[["Response"], Any]


def check(infos: Iterable[Any]) -> None:
    """Raise Unsupported for those that can't be known here."""
    for info in infos:
        if info not in VALUES:
            name = f"CurlInfo.{info.name}" if isinstance(info, CurlInfo) else repr(info)
            raise Unsupported(
                f"curl_infos: {name} is not supported: the daemon's envelope does not have it;"
                " Response.envelope has what there is"
            )


def values(response: "Response", infos: Iterable[Any]) -> Dict[Any, Any]:
    """The value of Response.infos."""
    return {info: VALUES[info](response) for info in infos}


def _timing(name: str, unit: int = 1) -> Get:
    def get(response: "Response") -> Any:
        seconds = response.envelope.get("timing", {}).get(name, 0.0)
        return seconds if unit == 1 else int(seconds * unit)

    return get


def _header(response: "Response", name: str) -> Any:
    value = response.headers.get(name)
    return None if value is None else value.encode()


def _retry_after(response: "Response") -> int:
    value = response.headers.get("retry-after") or ""
    return int(value) if value.isdigit() else 0


def _content_length(response: "Response") -> int:
    value = response.headers.get("content-length") or ""
    return int(value) if value.isdigit() else -1


VALUES: Dict[Any, Get] = {
    CurlInfo.EFFECTIVE_URL: lambda r: r.url.encode(),
    CurlInfo.EFFECTIVE_METHOD: lambda r: r.envelope.get("request", {}).get("method", "").encode(),
    CurlInfo.SCHEME: lambda r: r.url.partition(":")[0].encode(),
    CurlInfo.RESPONSE_CODE: lambda r: r.status_code,
    CurlInfo.HTTP_VERSION: lambda r: r.http_version,
    CurlInfo.CONTENT_TYPE: lambda r: _header(r, "content-type"),
    CurlInfo.CONTENT_LENGTH_DOWNLOAD_T: _content_length,
    CurlInfo.RETRY_AFTER: _retry_after,
    CurlInfo.REDIRECT_COUNT: lambda r: r.redirect_count,
    CurlInfo.REDIRECT_URL: lambda r: r.redirect_url.encode(),
    CurlInfo.PRIMARY_IP: lambda r: r.primary_ip.encode(),
    CurlInfo.PRIMARY_PORT: lambda r: r.primary_port,
    CurlInfo.LOCAL_IP: lambda r: r.local_ip.encode(),
    CurlInfo.LOCAL_PORT: lambda r: r.local_port,
    CurlInfo.NUM_CONNECTS: lambda r: int(not r.envelope.get("connection", {}).get("reused")),
    CurlInfo.SIZE_DOWNLOAD_T: lambda r: r.download_size,
    CurlInfo.SIZE_UPLOAD_T: lambda r: r.upload_size,
    CurlInfo.HEADER_SIZE: lambda r: r.header_size,
    CurlInfo.REQUEST_SIZE: lambda r: r.request_size,
    CurlInfo.TOTAL_TIME: _timing("total"),
    CurlInfo.TOTAL_TIME_T: _timing("total", 1_000_000),
    CurlInfo.NAMELOOKUP_TIME: _timing("dns"),
    CurlInfo.NAMELOOKUP_TIME_T: _timing("dns", 1_000_000),
    CurlInfo.CONNECT_TIME: _timing("connect"),
    CurlInfo.CONNECT_TIME_T: _timing("connect", 1_000_000),
    CurlInfo.APPCONNECT_TIME: _timing("tls"),
    CurlInfo.APPCONNECT_TIME_T: _timing("tls", 1_000_000),
    CurlInfo.STARTTRANSFER_TIME: _timing("first_byte"),
    CurlInfo.STARTTRANSFER_TIME_T: _timing("first_byte", 1_000_000),
    CurlInfo.QUEUE_TIME_T: _timing("queue", 1_000_000),
}
