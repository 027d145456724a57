"""curl_cffi.requests.websockets' names, without the WebSockets: what programs catch and compare.

The daemon does not support WebSockets, so nothing of this is raised. Importing WebSocket or
AsyncWebSocket raises ImportError.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Set

from ..const import CurlECode
from ..unsupported_names import raise_for_name
from .exceptions import CurlError, SessionClosed, Timeout


class WsCloseCode(IntEnum):
    """Why a WebSocket was closed: the codes registered at IANA."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    UNKNOWN = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015
    UNAUTHORIZED = 3000
    FORBIDDEN = 3003
    TIMEOUT = 3008


@dataclass
class WebSocketRetryStrategy:
    """Not used; defined for programs that make one at import."""

    retry: bool = False
    delay: float = 0.3
    count: int = 3
    codes: Set[CurlECode] = field(default_factory=lambda: {CurlECode.RECV_ERROR})


class WebSocketError(CurlError):
    """Not raised."""


class WebSocketClosed(WebSocketError, SessionClosed):
    """Not raised."""


class WebSocketTimeout(WebSocketError, Timeout):
    """Not raised."""


def __getattr__(name: str) -> Any:
    return raise_for_name(__name__, name)
