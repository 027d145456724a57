"""FakeDaemon: responses made in this process, in the daemon's formats."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, AsyncIterator, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .. import daemon
from ..daemon.response_parser import ResponseParser
from . import check_request
from .upload_reader import aread_body, read_body

RequestObject = Dict[str, Any]  # docs/api.md

FAKE_URL = "fcgi+unix:/nowhere/curlewd-of-a-test"
STATUS_OF_CODE = {  # HTTP status of a failure, by its code (docs/api.md)
    "bad_request": 400,
    "bad_url": 400,
    "unauthorized": 401,
    "blocked": 403,
    "forbidden": 403,
    "not_found": 404,
    "unknown_session": 404,
    "unknown_ca": 404,
    "method_not_allowed": 405,
    "request_too_large": 413,
    "internal": 500,
    "unsupported": 501,
    "overloaded": 503,
    "draining": 503,
    "origin_unavailable": 503,
    "connect_timeout": 504,
    "timeout": 504,
    "idle_timeout": 504,
}
STATUS_OF_CODE.update(
    dict.fromkeys(
        (
            "connect_failed",
            "dns_failed",
            "incomplete_body",
            "protocol_error",
            "proxy_failed",
            "recv_failed",
            "response_too_large",
            "send_failed",
            "tls_failed",
            "too_many_redirects",
        ),
        502,
    )
)
UNREACHABLE = "unreachable"  # no code of the daemon's: there is none

KNOWN_AFTER_BODY = ("body_bytes", "encoding", "trailers", "coalesced")

JSON = [("Content-Type", "application/json")]
PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]


class FakeResult(NamedTuple):
    """The result of a fetch: an envelope and a body, or a problem document; or both, if it failed
    behind the head of the response."""

    envelope: Dict[str, Any]  # {} if it failed before
    body: bytes
    problem: Optional[Dict[str, Any]] = None

    @property
    def status(self) -> int:
        return int(self.problem["status"] if self.problem else self.envelope["status"])


def fake_envelope(request: RequestObject, fields: Dict[str, Any]) -> Dict[str, Any]:
    """The envelope for a response to `request`. `fields` replace those it has by default."""
    return {
        "ok": True,
        "status": 200,
        "reason": "",
        "url": request["url"],
        "http_version": "1.1",
        "headers": [],
        "cookies": [],
        "encoding": None,
        "body_bytes": 0,
        "history": [],
        "timing": dict.fromkeys(("queue", "dns", "connect", "tls", "first_byte", "total"), 0.0),
        "connection": {
            "reused": True,
            "remote_ip": "192.0.2.1",
            "remote_port": 443,
            "local_ip": "192.0.2.2",
            "local_port": 1,
        },
        "request": {"method": request.get("method", "GET"), "bytes_sent": 0},
        "session": request.get("session", "default"),
        "attempts": 1,
        "coalesced": False,
        **({"tag": request["tag"]} if "tag" in request else {}),
        **fields,
    }


def fake_failure(code: str, detail: str = "") -> FakeResult:
    """A fetch that failed with a code of docs/api.md."""
    problem: Dict[str, Any] = {
        "type": f"urn:curlew:problem:{code}",
        "title": code,
        "code": code,
        "status": STATUS_OF_CODE[code],
        "detail": detail or f"{code} (set by the test)",
    }
    return FakeResult({}, b"", problem)


class FakeDaemon(daemon.Daemon):
    """A Daemon that sends nothing. A subclass defines result_of()."""

    def __init__(self) -> None:
        super().__init__(FAKE_URL)
        self._handoffs: Dict[str, RequestObject] = {}  # by reference

    def result_of(self, request: RequestObject) -> FakeResult:
        """The result of one fetch."""
        raise NotImplementedError

    def result_of_stream(self, request: RequestObject) -> FakeResult:
        """The result of one fetch that is streamed or handed off."""
        return self.result_of(request)

    # -- the methods of Daemon --------------------------------------------------------------------

    def exchange(self, method: str, route: str, **options: Any) -> daemon.Response:
        options["body"] = read_body(options.get("body", b""))
        return daemon.Response(self._respond(FakeRequest(method, route, **options)))

    async def aexchange(self, method: str, route: str, **options: Any) -> daemon.Response:
        options["body"] = await aread_body(options.get("body", b""))
        return daemon.Response(self._respond(FakeRequest(method, route, **options)))

    def open(self, method: str, route: str, **options: Any) -> Any:
        options["body"] = read_body(options.get("body", b""))
        return FakeStream(*self._respond_stream(FakeRequest(method, route, **options)))

    async def aopen(self, method: str, route: str, **options: Any) -> Any:
        options["body"] = await aread_body(options.get("body", b""))
        return FakeAsyncStream(*self._respond_stream(FakeRequest(method, route, **options)))

    # -- routes -----------------------------------------------------------------------------------

    def _respond(self, request: "FakeRequest") -> ResponseParser:
        path = request.route.partition("?")[0]
        if path.endswith("/v1/fetch"):
            return fetch_response(self.result_of(request.json()), request.accepts_frames)
        if path.endswith("/v1/batch"):
            refused = check_request.problem_of_batch(request.json())
            if refused:
                return fetch_response(fake_failure(*refused), frames=False)
            results = [self.result_of(each) for each in request.batch()]
            return batch_response(results, request.accepts_frames)
        if path.endswith("/v1/handoffs"):
            return self._store_handoff(request.json())
        status, headers, body = self.other_route(request)
        return parsed_response(status, headers, body)

    def _store_handoff(self, request: RequestObject) -> ResponseParser:
        """The reference of a request object, for one handoff."""
        refused = check_request.problem_of_handoff(request)
        if refused:
            return fetch_response(fake_failure(*refused), frames=False)
        reference = f"@{secrets.token_hex(16)}"
        self._handoffs[reference] = request
        body = json.dumps({"reference": reference, "expires_in": 60}).encode()
        return parsed_response(200, JSON, body)

    def _take_handoff(self, value: str) -> FakeResult:
        """The result of a handoff: of a request object, or of a reference to one."""
        if not value.startswith("@"):
            return self.result_of_stream(json.loads(value))
        request = self._handoffs.pop(value, None)
        if request is None:
            return fake_failure("bad_request", "the reference is unknown, or used already")
        return self.result_of_stream(request)

    def other_route(self, request: "FakeRequest") -> Tuple[int, List[Tuple[str, str]], bytes]:
        """(status, headers, body) for a route that fetches nothing."""
        if request.route.endswith("/healthz"):
            return 200, JSON, b'{"status": "ok"}'
        detail = f"the fake daemon of a test has no {request.route}"
        problem = {"status": 404, "code": "not_found", "detail": detail}
        return 404, PROBLEM, json.dumps(problem).encode()

    def _respond_stream(
        self, request: "FakeRequest"
    ) -> Tuple[ResponseParser, Optional[daemon.DaemonError]]:
        """(the response, what breaks it off)"""
        if request.handoff is not None:
            return stream_response(self._take_handoff(request.handoff), with_facts=False), None
        if request.route.endswith("/v1/stream"):
            result = self.result_of_stream(request.json())
            if request.accepts_frames:
                return stream_frames_response(result), break_of_stream(result)
            return stream_response(result, with_facts=True), None
        return self._respond(request), None


class FakeRequest:
    """A request to FakeDaemon. Its arguments are those of Daemon.build_request()."""

    def __init__(
        self,
        method: str,
        route: str,
        headers: Any = (),
        body: bytes = b"",
        params: Any = None,
        **_: Any,
    ) -> None:
        params = params or {}
        self.method, self.body = method, body
        self.route = route or params.get("SCRIPT_NAME", "")
        accept = dict(headers).get("Accept") or params.get("HTTP_ACCEPT", "")
        self.accepts_frames = accept == daemon.FRAMES
        self.handoff: Optional[str] = params.get("CURLEW_REQUEST") or None  # object or "@…"

    def json(self) -> RequestObject:
        document: RequestObject = json.loads(self.body)
        return document

    def batch(self) -> List[RequestObject]:
        """The request objects of a batch, with its defaults."""
        document = self.json()
        return [{**document.get("defaults", {}), **each} for each in document["requests"]]


# -- the daemon's formats -------------------------------------------------------------------------


def parsed_response(status: int, headers: Any, body: bytes) -> ResponseParser:
    """A parser that has received this response."""
    parser = ResponseParser()
    parser.status = status
    parser.head = "\r\n".join(f"{name}: {value}" for name, value in headers).encode()
    parser.started = parser.finished = True
    parser.append_body(body)
    return parser


def fetch_response(result: FakeResult, frames: bool) -> ResponseParser:
    """The response of …/v1/fetch."""
    if result.problem:
        return parsed_response(result.status, PROBLEM, json.dumps(result.problem).encode())
    if frames:
        frame = encode_frame(result.envelope, result.body)
        return parsed_response(200, [("Content-Type", daemon.FRAMES)], frame)
    document = {**result.envelope, **body_keys(result.body)}
    return parsed_response(200, JSON, json.dumps(document).encode())


def batch_response(results: List[FakeResult], frames: bool) -> ResponseParser:
    """The response of …/v1/batch."""
    pieces = []
    for index, result in enumerate(results):
        envelope = {**result.envelope, "index": index}
        if result.problem:
            envelope = {"index": index, "ok": False, "error": result.problem, "body_bytes": 0}
        if frames:
            pieces.append(encode_frame(envelope, result.body))
        else:
            pieces.append(json.dumps({**envelope, **body_keys(result.body)}).encode() + b"\n")
    content_type = daemon.FRAMES if frames else "application/x-ndjson"
    return parsed_response(200, [("Content-Type", content_type)], b"".join(pieces))


def stream_response(result: FakeResult, with_facts: bool) -> ResponseParser:
    """The response of …/v1/stream, or of a handoff, which is without the Curlew-* headers."""
    if result.problem:
        return parsed_response(result.status, PROBLEM, json.dumps(result.problem).encode())
    envelope = result.envelope
    facts = [
        ("Curlew-Url", envelope["url"]),
        ("Curlew-Http-Version", envelope["http_version"]),
        ("Curlew-Connection", "reused; 192.0.2.1:443"),
        ("Curlew-Redirects", len(envelope["history"])),
        ("Curlew-Attempts", envelope["attempts"]),
        ("Curlew-Session", envelope["session"]),
        ("Curlew-First-Byte", "0.000000"),
    ]
    headers = [*_remaining_codings(envelope), *(facts if with_facts else [])]
    return parsed_response(result.status, headers, result.body)


def _remaining_codings(envelope: Dict[str, Any]) -> List[Tuple[str, Any]]:
    """The headers, with a Content-Encoding that names only what was not undone."""
    kept = [(n, v) for n, v in envelope["headers"] if n.lower() != "content-encoding"]
    remaining = envelope.get("content_encoding")
    return [*kept, *([("Content-Encoding", remaining)] if remaining else [])]


def stream_frames_response(result: FakeResult) -> ResponseParser:
    """The response of …/v1/stream in frames: the envelope, less what is known after the body."""
    if result.problem and not result.envelope:
        return fetch_response(result, frames=True)
    envelope = {n: v for n, v in result.envelope.items() if n not in KNOWN_AFTER_BODY}
    envelope["timing"] = {n: v for n, v in envelope["timing"].items() if n != "total"}
    envelope["request"] = {"method": envelope["request"]["method"]}
    line = json.dumps(envelope).encode() + b"\n"
    return parsed_response(200, [("Content-Type", daemon.FRAMES)], line + result.body)


def break_of_stream(result: FakeResult) -> Optional[daemon.DaemonError]:
    """What a stream in frames raises in its body, as the daemon says by FastCGI."""
    if not result.problem or not result.envelope:
        return None
    code, detail = result.problem["code"], result.problem["detail"]
    return daemon.IncompleteResponse(f"curlewd aborted the response: {code}: {detail}", code)


def encode_frame(envelope: Dict[str, Any], body: bytes) -> bytes:
    return json.dumps({**envelope, "body_bytes": len(body)}).encode() + b"\n" + body + b"\n"


def body_keys(body: bytes) -> Dict[str, str]:
    """The envelope's `body`, or `body_base64` if it is not UTF-8."""
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


class FakeStream:
    """Like daemon.Stream, with the whole body in one piece."""

    def __init__(
        self, parser: ResponseParser, failure: Optional[daemon.DaemonError] = None
    ) -> None:
        self.status, self.headers, self.header = parser.status, parser.headers, parser.header
        self.is_by_http = parser.is_by_http
        self._body = parser.take_body()
        self._failure = failure  # at its end

    def read(self, timeout: Optional[float] = None) -> bytes:
        body, self._body = self._body, b""
        if not body and self._failure is not None:
            raise self._failure
        return body

    def unread(self, data: bytes) -> None:
        self._body = data + self._body

    def close(self) -> None:
        self._body = b""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FakeAsyncStream:
    """Like daemon.AsyncStream, with the whole body in one piece."""

    def __init__(
        self, parser: ResponseParser, failure: Optional[daemon.DaemonError] = None
    ) -> None:
        self.status, self.headers, self.header = parser.status, parser.headers, parser.header
        self.is_by_http = parser.is_by_http
        self._body = parser.take_body()
        self._failure = failure  # at its end

    async def read(self, timeout: Optional[float] = None) -> bytes:
        body, self._body = self._body, b""
        if not body and self._failure is not None:
            raise self._failure
        return body

    def unread(self, data: bytes) -> None:
        self._body = data + self._body

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
