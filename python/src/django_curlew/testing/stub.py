"""Stub: a daemon whose responses a test defines."""

from __future__ import annotations

import fnmatch
import json as json_module
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Pattern, Union

from .fake import FakeDaemon, FakeResult, RequestObject, fake_failure, fake_success

UrlMatcher = Union[str, Pattern[str], Callable[[RequestObject], bool]]
Responder = Callable[[RequestObject], FakeResult]


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
            return fnmatch.fnmatchcase(request["url"], escaped)
        return bool(self.url.search(request["url"]))


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
        error: a code of docs/api.md ("timeout") in place of a response.
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
        for rule in reversed(self._rules):
            if rule.matches(request):
                responders = rule.responders
                responder = responders.pop(0) if len(responders) > 1 else responders[0]
                return responder(request)
        method = request.get("method", "GET")
        raise Unexpected(f"no response is defined for {method} {request['url']}: use curlew.on(…)")


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
    """A function from a request object to the response that these arguments define."""
    if error is not None:
        return lambda request: fake_failure(error)
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    content_type = None
    if json is not None:
        content, content_type = json_module.dumps(json).encode(), "application/json"
    elif text is not None:
        content, content_type = text.encode(), "text/plain; charset=utf-8"
    if content_type and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", content_type))
    return lambda request: fake_success(request, status, pairs, content, **fields)
