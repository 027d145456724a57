"""One exchange through …/v1/stream, as both adapters ask for it and as both are told."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, Iterable, List, Optional, Tuple

from .. import context, daemon

ROUTE = "/v1/stream"
JSON = (("Content-Type", "application/json"),)
FOR_EVER = 86400  # seconds: the daemon's largest, and a stream's body has no limit of its own
LEAST = 0.001  # it takes no 0

# The daemon makes these itself, from the URL and the body, or for the hop.
OF_THE_MESSAGE = {"connection", "content-length", "keep-alive", "proxy-connection", "te"}
OF_THE_MESSAGE |= {"transfer-encoding", "upgrade", "trailer", "expect"}
ADDED = ("user-agent", "accept", "content-type")  # by the daemon, unless told otherwise


class Failure(Exception):
    """The fetch failed before its head: `code` is one of docs/api.md, or "unreachable"."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def how(
    method: str,
    url: str,
    headers: Iterable[Tuple[str, str]],
    body: Optional[bytes],
    timeout: Dict[str, Optional[float]],
    **keys: Any,
) -> Dict[str, Any]:
    """The arguments of Daemon.open() after method and route. `timeout`: connect and idle."""
    given: List[List[Optional[str]]] = [
        [n, v] for n, v in headers if n.lower() not in OF_THE_MESSAGE
    ]
    named = {str(name).lower() for name, _ in given}
    given += [[name, None] for name in ADDED if name not in named]
    told: Dict[str, Any] = {
        "url": url,
        "method": method,
        "headers": given,
        "timeout": _timeout(timeout),
        "follow_redirects": False,
        **{name: value for name, value in keys.items() if value is not None},
    }
    if body is not None:
        told["body_base64"] = base64.b64encode(body).decode()
    return {"headers": JSON, "body": json.dumps(told).encode(), "trace": context.headers()}


def _timeout(given: Dict[str, Optional[float]]) -> Dict[str, float]:
    limits = {name: max(LEAST, value) for name, value in given.items() if value is not None}
    limits.setdefault("connect", FOR_EVER)
    return {name: min(value, FOR_EVER) for name, value in {"total": FOR_EVER, **limits}.items()}


def head(stream: Any) -> Tuple[List[Tuple[bytes, bytes]], Dict[str, str]]:
    """The origin's headers, and the facts about the fetch (`Curlew-*`, in lower case, without it).

    Where there are none, the answer is not the origin's, and the caller gets its body for
    failure().
    """
    headers = []
    facts: Dict[str, str] = {}
    for name, value in stream.headers:
        lower = name.lower()
        if lower.startswith(b"curlew-"):
            facts[lower[7:].decode()] = value.decode("latin-1")
        elif lower != b"x-accel-buffering":
            headers.append((name, value))
    return headers, facts


def failure(status: int, body: bytes) -> Failure:
    """What the daemon, or a web server before it, said instead of the origin."""
    try:
        said = json.loads(body)
        return Failure(said["code"], f"{said['code']}: {said['detail']}")
    except (ValueError, LookupError, TypeError):
        return Failure("unreachable", f"HTTP {status} instead of an answer of curlewd's")


def unreachable(why: daemon.DaemonError) -> Failure:
    code = "timeout" if isinstance(why, daemon.DaemonTimeout) else "unreachable"
    return Failure(code, str(why))
