"""Stub: a daemon whose responses a test defines."""

from __future__ import annotations

import fnmatch
import json as json_module
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Pattern, Set, Union
from urllib.parse import urldefrag

from .. import daemon
from . import check_request, fake_origin
from .fake import (
    STATUS_OF_CODE,
    UNREACHABLE,
    FakeDaemon,
    FakeResult,
    RequestObject,
    fake_envelope,
    fake_failure,
)
from .fake_origin import OriginResponse

UrlMatcher = Union[str, Pattern[str], Callable[[RequestObject], bool]]
Responder = Callable[[RequestObject], Union[OriginResponse, FakeResult]]
FIELDS = frozenset(fake_envelope({"url": ""}, {})) | {"content_encoding", "trailers", "tag"}


class Unexpected(AssertionError):
    """A fetch that the test has defined no response for."""


class Rule(NamedTuple):
    """What on() has defined."""

    url: UrlMatcher
    method: Optional[str]  # None: any
    responders: List[Responder]  # used in turn; the last one is used again and again

    def matches(self, request: RequestObject) -> bool:
        if self.method and self.method != request.get("method", "GET"):
            return False
        if callable(self.url):
            return bool(self.url(request))
        if isinstance(self.url, str):
            escaped = self.url.replace("[", "[[]").replace("?", "[?]")
            return any(fnmatch.fnmatchcase(url, escaped) for url in _urls(request))
        return any(self.url.search(url) for url in _urls(request))


def _urls(request: RequestObject) -> Set[str]:
    """As it is written, and as it is sent: without a fragment."""
    return {request["url"], urldefrag(request["url"]).url}


class Stub(FakeDaemon):
    """What override_curlew() returns. on() defines responses; `requests` is the list of the request
    objects (docs/api.md) that were sent, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: List[RequestObject] = []
        self._rules: List[Rule] = []

    def on(
        self,
        url: UrlMatcher,
        *,
        method: Optional[str] = None,
        status: int = 200,
        headers: Any = (),
        json: Any = None,
        text: Optional[str] = None,
        content: bytes = b"",
        error: Optional[str] = None,
        responses: Optional[Iterable[Dict[str, Any]]] = None,
        **fields: Any,
    ) -> "Stub":
        """Define the response for the fetches of a URL. A later definition takes precedence.

        url: as it is requested, with "*" for any characters; or a compiled pattern; or a function
            of the request object.
        method: None: any.
        headers: a dict, or pairs. Set-Cookie, Location and Content-Encoding act as with a daemon:
            a redirect is followed, to a URL that is defined, too.
        error: a code of docs/api.md ("timeout") in place of a response; "unreachable": no daemon.
        responses: several, each a dict of the other arguments, used in turn; the last one is used
            again and again.
        fields: of the envelope: `http_version`, `history`, ….
        """
        if responses is None:
            responder = make_responder(
                status=status,
                headers=headers,
                json=json,
                text=text,
                content=content,
                error=error,
                **fields,
            )
            responders = [responder]
        else:
            responders = [make_responder(**each) for each in responses]
        if not responders:
            raise ValueError("responses must not be empty")
        self._rules.append(Rule(url, method and method.upper(), responders))
        return self

    def result_of(self, request: RequestObject) -> FakeResult:
        self.requests.append(request)
        return self._fetch(request)

    def result_of_stream(self, request: RequestObject) -> FakeResult:
        self.requests.append(request)
        return self._fetch({"decompress": False, **request})  # a stream's default

    def _fetch(self, request: RequestObject) -> FakeResult:
        refused = check_request.problem_of(request)
        if refused:
            return fake_failure(*refused)
        return fake_origin.fetch(request, self._respond_to_hop)

    def _respond_to_hop(self, request: RequestObject) -> Union[OriginResponse, FakeResult]:
        for rule in reversed(self._rules):
            if rule.matches(request):
                responders = rule.responders
                responder = responders.pop(0) if len(responders) > 1 else responders[0]
                return responder(request)
        method = request.get("method", "GET")
        redirect = "" if request["url"] == self.requests[-1]["url"] else ", after a redirect"
        raise Unexpected(
            f"no response is defined for {method} {request['url']}{redirect}: use curlew.on(…)"
        )


def make_responder(
    *,
    status: int = 200,
    headers: Any = (),
    json: Any = None,
    text: Optional[str] = None,
    content: bytes = b"",
    error: Optional[str] = None,
    **fields: Any,
) -> Responder:
    """A function from a request object to the response that these arguments define. Raises
    TypeError if they define none."""
    _check_fields(fields)
    if error is not None:
        return _failing_responder(error)
    if sum((json is not None, text is not None, content != b"")) > 1:
        raise TypeError("a response has one of json, text and content")
    if isinstance(text, bytes) or (content and isinstance(content, str)):
        raise TypeError("text is a str, content is bytes")
    given = headers.items() if hasattr(headers, "items") else headers
    pairs = [[_header_text(name), _header_text(value)] for name, value in given]
    content_type = None
    if json is not None:
        content, content_type = json_module.dumps(json).encode(), "application/json"
    elif text is not None:
        content, content_type = text.encode(), "text/plain; charset=utf-8"
    if content_type and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(["Content-Type", content_type])
    response = OriginResponse(status, pairs, content, fields)
    return lambda request: response


def _header_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if value is None or isinstance(value, (list, tuple, set, dict)):
        raise TypeError(f"a header has one str as its value, not {value!r}; repeat it in pairs")
    return str(value)


def _check_fields(fields: Dict[str, Any]) -> None:
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise TypeError(
            f"{unknown[0]!r} is no argument of a response, and no field of the envelope: these are"
            f" {', '.join(sorted(FIELDS))}"
        )


def _failing_responder(error: str) -> Responder:
    if error == UNREACHABLE:
        return _unreachable
    if error not in STATUS_OF_CODE:
        codes = ", ".join(sorted((*STATUS_OF_CODE, UNREACHABLE)))
        raise TypeError(f"error={error!r} is no code of a failure: these are {codes}")
    return lambda request: fake_failure(error)


def _unreachable(request: RequestObject) -> FakeResult:
    raise daemon.Unreachable("curlewd is not running (set by the test)")
