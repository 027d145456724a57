"""A daemon that is none: answers made here, in the shapes that the real one has."""

from __future__ import annotations

import base64
import json
from typing import Any, AsyncIterator, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .. import daemon
from ..daemon.response_parser import ResponseParser

Request = Dict[str, Any]

NOWHERE = "fcgi+unix:/nowhere/curlewd-of-a-test"
STATUSES = {  # of docs/api.md; a failure's HTTP status by its code
    **dict.fromkeys(("bad_request", "bad_url"), 400),
    **{"unauthorized": 401, "blocked": 403, "not_found": 404, "unknown_session": 404},
    **{"request_too_large": 413, "unsupported": 501},
    **dict.fromkeys(("overloaded", "draining", "origin_unavailable"), 503),
    **dict.fromkeys(("connect_timeout", "timeout", "idle_timeout"), 504),
}  # all others: 502


class Answer(NamedTuple):
    """What an origin is said to answer, or why it does not."""

    envelope: Dict[str, Any]  # of a fetch that worked; else {}
    body: bytes
    problem: Optional[Dict[str, Any]] = None

    @property
    def status(self) -> int:
        return int(self.problem["status"] if self.problem else self.envelope["status"])


def answer(request: Request, status: int, headers: Any, body: bytes, **facts: Any) -> Answer:
    """An origin's answer to `request`, with the facts that a test does not care about."""
    pairs = [[n, v] for n, v in (headers.items() if hasattr(headers, "items") else headers)]
    envelope = {
        **{"ok": True, "status": status, "reason": "", "url": request["url"]},
        **{"http_version": "1.1", "headers": pairs, "cookies": [], "encoding": None},
        **{"body_bytes": len(body), "history": []},
        "timing": dict.fromkeys(("queue", "dns", "connect", "tls", "first_byte", "total"), 0.0),
        "connection": {
            "reused": True,
            "remote_ip": "192.0.2.1",
            "remote_port": 443,
            "local_ip": "192.0.2.2",
            "local_port": 1,
        },
        "request": {"method": request.get("method", "GET"), "bytes_sent": 0},
        **{"session": request.get("session", "default"), "attempts": 1, "coalesced": False},
        **({"tag": request["tag"]} if "tag" in request else {}),
        **facts,
    }
    return Answer(envelope, body)


def failure(code: str, detail: str = "") -> Answer:
    """A fetch that failed, by a code of docs/api.md."""
    told: Dict[str, Any] = {"type": f"urn:curlew:problem:{code}", "title": code, "code": code}
    told.update(status=STATUSES.get(code, 502), detail=detail or f"{code}, said the test")
    return Answer({}, b"", told)


class FakeDaemon(daemon.Daemon):
    """Takes the place of the daemon; answer_to() is a subclass' to write."""

    def __init__(self) -> None:
        super().__init__(NOWHERE)

    def answer_to(self, request: Request) -> Answer:
        raise NotImplementedError

    # -- the four ways to ask ---------------------------------------------------------------------

    def exchange(self, method: str, route: str, **how: Any) -> daemon.Response:
        return self._reply(Asked(method, route, **how))

    async def aexchange(self, method: str, route: str, **how: Any) -> daemon.Response:
        return self._reply(Asked(method, route, **how))

    def open(self, method: str, route: str, **how: Any) -> Any:
        return FakeStream(self._streamed(Asked(method, route, **how)))

    async def aopen(self, method: str, route: str, **how: Any) -> Any:
        return FakeAsyncStream(self._streamed(Asked(method, route, **how)))

    # -- what is answered -------------------------------------------------------------------------

    def _reply(self, asked: "Asked") -> daemon.Response:
        return daemon.Response(self._answer(asked))

    def _answer(self, asked: "Asked") -> ResponseParser:
        path = asked.route.partition("?")[0]
        if path.endswith("/v1/fetch"):
            return fetched(self.answer_to(asked.document()), asked.wants_frames)
        if path.endswith("/v1/batch"):
            return batched([self.answer_to(each) for each in asked.batch()], asked.wants_frames)
        return parsed(*self.other_answer(asked))

    def other_answer(self, asked: "Asked") -> Tuple[int, List[Tuple[str, str]], bytes]:
        """Of a route that fetches nothing."""
        if asked.route.endswith("/healthz"):
            return 200, JSON, b'{"status": "ok"}'
        told = {"status": 404, "code": "not_found", "detail": f"a test has no {asked.route}"}
        return 404, PROBLEM, json.dumps(told).encode()

    def _streamed(self, asked: "Asked") -> ResponseParser:
        if asked.hand_off is not None:
            return streamed(self.answer_to(asked.hand_off), facts=False)
        if asked.route.endswith("/v1/stream"):
            return streamed(self.answer_to(asked.document()), facts=True)
        return self._answer(asked)


class Asked:
    """One question as FakeDaemon sees it."""

    def __init__(
        self,
        method: str,
        route: str,
        headers: Any = (),
        body: bytes = b"",
        params: Any = None,
        **_: Any,
    ) -> None:
        self.method, self.body = method, body
        self.route = route or (params or {}).get("SCRIPT_NAME", "")
        accept = dict(headers).get("Accept") or (params or {}).get("HTTP_ACCEPT", "")
        self.wants_frames = accept == daemon.FRAMES
        told = (params or {}).get("CURLEW_REQUEST")
        self.hand_off: Optional[Request] = json.loads(told) if told else None

    def document(self) -> Request:
        told: Request = json.loads(self.body)
        return told

    def batch(self) -> List[Request]:
        told = self.document()
        return [{**told.get("defaults", {}), **each} for each in told["requests"]]


# -- the shapes ---------------------------------------------------------------------------------

JSON = [("Content-Type", "application/json")]
PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]


def parsed(status: int, headers: Any, body: bytes) -> ResponseParser:
    """An answer as if it had come by a connection."""
    made = ResponseParser()
    made.status = status
    made.head = "\r\n".join(f"{name}: {value}" for name, value in headers).encode()
    made.started = made.finished = True
    made.append_body(body)
    return made


def fetched(told: Answer, frames: bool) -> ResponseParser:
    if told.problem:
        return parsed(told.status, PROBLEM, json.dumps(told.problem).encode())
    if frames:
        return parsed(200, [("Content-Type", daemon.FRAMES)], frame(told.envelope, told.body))
    return parsed(200, JSON, json.dumps({**told.envelope, **in_json(told.body)}).encode())


def batched(all_told: List[Answer], frames: bool) -> ResponseParser:
    pieces = []
    for index, told in enumerate(all_told):
        said = {**told.envelope, "index": index}
        if told.problem:
            said = {"index": index, "ok": False, "error": told.problem, "body_bytes": 0}
        line = {**said, **in_json(told.body)}
        pieces.append(frame(said, told.body) if frames else json.dumps(line).encode() + b"\n")
    kind = daemon.FRAMES if frames else "application/x-ndjson"
    return parsed(200, [("Content-Type", kind)], b"".join(pieces))


def streamed(told: Answer, facts: bool) -> ResponseParser:
    if told.problem:
        return parsed(told.status, PROBLEM, json.dumps(told.problem).encode())
    envelope = told.envelope
    ours = [
        ("Curlew-Url", envelope["url"]),
        ("Curlew-Http-Version", envelope["http_version"]),
        ("Curlew-Connection", "reused; 192.0.2.1:443"),
        ("Curlew-Redirects", len(envelope["history"])),
        ("Curlew-Session", envelope["session"]),
        ("Curlew-First-Byte", "0.000000"),
    ]
    return parsed(told.status, [*envelope["headers"], *(ours if facts else [])], told.body)


def frame(envelope: Dict[str, Any], body: bytes) -> bytes:
    return json.dumps({**envelope, "body_bytes": len(body)}).encode() + b"\n" + body + b"\n"


def in_json(body: bytes) -> Dict[str, str]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


class FakeStream:
    """A stream whose body is here already, in one piece."""

    def __init__(self, answer: ResponseParser) -> None:
        self.status, self.headers, self.header = answer.status, answer.headers, answer.header
        self._body = answer.take_body()

    def read(self, timeout: Optional[float] = None) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        self._body = b""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FakeAsyncStream:
    """Likewise, for coroutines."""

    def __init__(self, answer: ResponseParser) -> None:
        self.status, self.headers, self.header = answer.status, answer.headers, answer.header
        self._body = answer.take_body()

    async def read(self, timeout: Optional[float] = None) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        self._body = b""

    async def aclose(self) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            piece = await self.read()
            if not piece:
                return
            yield piece

    async def __aenter__(self) -> "FakeAsyncStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
