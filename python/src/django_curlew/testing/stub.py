"""Answers that a test says itself."""

from __future__ import annotations

import fnmatch
import json as json_module
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Pattern, Union

from .fake import Answer, FakeDaemon, Request, answer, failure

Url = Union[str, Pattern[str], Callable[[Request], bool]]


class Unexpected(AssertionError):
    """A fetch that nothing was said for."""


class Rule(NamedTuple):
    url: Url
    method: Optional[str]  # None: any
    answers: List[Callable[[Request], Answer]]  # in turn; the last one stays

    def suits(self, request: Request) -> bool:
        if self.method and self.method != request.get("method", "GET"):
            return False
        if callable(self.url):
            return bool(self.url(request))
        if isinstance(self.url, str):
            escaped = self.url.replace("[", "[[]").replace("?", "[?]")
            return fnmatch.fnmatchcase(request["url"], escaped)
        return bool(self.url.search(request["url"]))


class Stub(FakeDaemon):
    """What override_curlew() gives: on() says what is answered, `requests` what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: List[Request] = []  # request objects (docs/api.md), in order
        self._rules: List[Rule] = []

    def on(
        self,
        url: Url,
        *,
        method: Optional[str] = None,
        status: int = 200,
        headers: Any = (),
        json: Any = None,
        text: Optional[str] = None,
        content: bytes = b"",
        error: Optional[str] = None,
        answers: Optional[Iterable[Dict[str, Any]]] = None,
        **facts: Any,
    ) -> "Stub":
        """From now on, answer so. What is said later counts first.

        `url`: as it is asked for, with "*" for anything; a compiled pattern; or a function of the
        request object. `error`: a code of docs/api.md in place of an answer ("timeout"). `answers`:
        several, each a dict of these keywords, given in turn; the last one stays. `facts` are
        fields of the envelope: `http_version`, `history`, ….
        """
        one = {"status": status, "headers": headers, "json": json, "text": text}
        one.update(content=content, error=error, **facts)
        said = [answering(**each) for each in (answers if answers is not None else [one])]
        if not said:
            raise ValueError("answers: at least one")
        self._rules.append(Rule(url, method and method.upper(), said))
        return self

    def answer_to(self, request: Request) -> Answer:
        self.requests.append(request)
        for rule in reversed(self._rules):
            if rule.suits(request):
                said = rule.answers.pop(0) if len(rule.answers) > 1 else rule.answers[0]
                return said(request)
        method = request.get("method", "GET")
        raise Unexpected(f"nothing was said for {method} {request['url']}: curlew.on(…)")


def answering(
    *,
    status: int = 200,
    headers: Any = (),
    json: Any = None,
    text: Optional[str] = None,
    content: bytes = b"",
    error: Optional[str] = None,
    **facts: Any,
) -> Callable[[Request], Answer]:
    """A function from a request to the answer that these keywords say."""
    if error is not None:
        return lambda request: failure(error)
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    kind = None
    if json is not None:
        content, kind = json_module.dumps(json).encode(), "application/json"
    elif text is not None:
        content, kind = text.encode(), "text/plain; charset=utf-8"
    if kind and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", kind))
    return lambda request: answer(request, status, pairs, content, **facts)
