"""Codes of docs/api.md as the exceptions that httpx itself would raise for the same."""

from __future__ import annotations

from typing import Dict

from ._stream_request import FetchError

# Names of classes in httpx and httpx2.
BY_CODE: Dict[str, str] = {
    "connect_timeout": "ConnectTimeout",
    "timeout": "ReadTimeout",
    "idle_timeout": "ReadTimeout",
    "bad_request": "LocalProtocolError",
    "unsupported": "UnsupportedProtocol",
    "request_too_large": "LocalProtocolError",
    "unknown_session": "LocalProtocolError",
    "proxy_failed": "ProxyError",
    "protocol_error": "RemoteProtocolError",
    "response_too_large": "RemoteProtocolError",
    "incomplete_body": "RemoteProtocolError",
    "send_failed": "WriteError",
    "recv_failed": "ReadError",
    "cancelled": "ReadError",
    "internal": "ReadError",
    "overloaded": "PoolTimeout",
    "draining": "PoolTimeout",
}  # all others: ConnectError, as nothing was sent

CURLE_COULDNT_RESOLVE_PROXY = 5
CURLE_COULDNT_CONNECT = 7
CURLE_GOT_NOTHING = 52


def class_name(code: str) -> str:
    """httpx's name for a code alone, as of a body that breaks."""
    return BY_CODE.get(code, "ConnectError")


def class_name_of(failure: FetchError) -> str:
    """httpx's name for a fetch without a response."""
    code, curl_code = failure.code, failure.curl_code
    if code == "proxy_failed" and curl_code in (CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT):
        return "ConnectError"
    if code == "recv_failed" and curl_code == CURLE_GOT_NOTHING:
        return "RemoteProtocolError"
    if code == "idle_timeout" and failure.attempts == 0:
        return "ConnectTimeout"  # it ran out before the request was sent
    return class_name(code)
