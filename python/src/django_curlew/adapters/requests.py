"""requests through Curlew.

    from django_curlew.adapters.requests import CurlewAdapter

    session = requests.Session()
    session.mount("https://", CurlewAdapter())
    session.mount("http://", CurlewAdapter(session="scraper"))

The adapter holds nothing: a session may be made for each request at no cost. Keywords are keys of
Curlew's request object for every request (`session`, `http_version`, `max_recv_speed`, …).
`response.raw.curlew` has the facts about the fetch: url, http-version, connection, ….

`timeout`: connect is the daemon's `connect`, read its `idle`. `verify` is taken as true or false;
a path to authorities, and `cert`, belong to a session of the daemon's (`ca_file`, `client_cert`):
they raise. A request's body is read to its end before it is sent.
"""

from __future__ import annotations

import io
import os
import socket
from email.message import Message
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Type

import requests.exceptions as errors
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response
from requests.utils import select_proxy
from urllib3 import HTTPResponse

from .. import daemon
from . import _exchange as exchange

ERRORS: Dict[str, Type[errors.RequestException]] = {
    "connect_timeout": errors.ConnectTimeout,
    "timeout": errors.ReadTimeout,
    "idle_timeout": errors.ReadTimeout,
    "bad_request": errors.RequestException,
    "request_too_large": errors.RequestException,
    "unsupported": errors.RequestException,
    "bad_url": errors.InvalidURL,
    "proxy_failed": errors.ProxyError,
    "tls_failed": errors.SSLError,
    "protocol_error": errors.ConnectionError,
}  # all others: ConnectionError


class CurlewAdapter(HTTPAdapter):
    """A transport adapter, to be mounted on a session."""

    def __init__(self, asked: Optional[daemon.Daemon] = None, **keys: Any) -> None:
        super().__init__()
        self._asked = asked
        self._keys = keys

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        keys = {**self._keys, **_tls(verify, cert), "proxy": select_proxy(request.url, proxies)}
        headers = _texts((request.headers or {}).items())
        told = (request.method or "GET", request.url or "", headers, _body(request.body))
        try:
            how = exchange.how(*told, _limits(timeout), **keys)
            answer = (self._asked or daemon.current()).open("POST", exchange.ROUTE, **how)
            pairs, facts = exchange.head(answer)
            if not facts:
                raise exchange.failure(answer.status, b"".join(answer))
        except daemon.DaemonError as why:
            raise _raised(exchange.unreachable(why), request) from why
        except exchange.Failure as why:
            raise _raised(why, request) from None
        response: Response = self.build_response(request, _Raw(answer, _texts(pairs), facts))
        if not stream:
            response.content  # noqa: B018  (read it, as requests itself would later)
        return response


def _raised(why: exchange.Failure, request: PreparedRequest) -> errors.RequestException:
    return ERRORS.get(why.code, errors.ConnectionError)(str(why), request=request)


def _texts(pairs: Iterable[Tuple[Any, Any]]) -> List[Tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in pairs]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(body: Any) -> Optional[bytes]:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return _bytes(body.read())
    return b"".join(_bytes(piece) for piece in body)


def _bytes(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def _limits(timeout: Any) -> Dict[str, Optional[float]]:
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return {"connect": connect, "idle": read}


def _tls(verify: Any, cert: Any) -> Dict[str, Any]:
    if verify in (os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE")):
        verify = True  # requests' own reading of this process's environment, not the caller's word
    if cert or isinstance(verify, str):
        word = "cert" if cert else "verify"
        raise ValueError(
            f"{word}: the daemon can't read files for a request. Give them to one of its sessions"
            " (ca_file, client_cert, client_key) and name it: CurlewAdapter(session=…)."
        )
    return {} if verify else {"verify": False}


class _Raw(HTTPResponse):
    """The response as urllib3 has it: what requests reads from."""

    def __init__(self, stream: daemon.Stream, headers: Any, facts: Dict[str, str]) -> None:
        self.curlew = facts
        self._pieces = _Pieces(stream)
        super().__init__(
            body=self._pieces,
            headers=headers,
            status=stream.status,
            preload_content=False,
            original_response=_Original(headers),  # type: ignore[arg-type]
        )

    def stream(self, amt: Optional[int] = 2**16, decode_content: Any = None) -> Iterator[bytes]:
        """Pieces as they come, not only once `amt` bytes are there: events can't wait."""
        if self.headers.get("content-encoding"):
            yield from super().stream(amt, decode_content)
        else:
            with self._error_catcher():
                yield from iter(lambda: self._pieces.read(amt or -1), b"")


class _Pieces(io.RawIOBase):
    """A stream of the daemon's as a file."""

    def __init__(self, stream: daemon.Stream) -> None:
        self._stream = stream
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._rest or self._stream.read()
        except daemon.DaemonTimeout as why:
            raise socket.timeout(str(why)) from why  # noqa: UP041 (not the same before 3.10)
        except daemon.DaemonError as why:
            raise ConnectionError(str(why)) from why  # urllib3 makes a ProtocolError of it
        n = min(len(piece), len(buffer))
        buffer[:n], self._rest = piece[:n], piece[n:]
        return n

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Original:
    """http.client's response, as far as requests looks into it for cookies."""

    def __init__(self, headers: List[Tuple[str, str]]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return False

    def close(self) -> None:
        pass
