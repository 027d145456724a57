"""Answers that a real daemon once gave, kept in a file.

A tape is JSON, to be read and edited: a list of {"request": …, "answer": …}. A request is found
again by its method, URL, params and body; asked several times, it gets its answers in the order
they were recorded, and the last one from then on. What identifies somebody is not recorded: the
headers in PRIVATE, `auth`, `cookies` and `proxy_auth` of a request. What a tape lacks is a
TapeError, an AssertionError. A stream is recorded once it has been read to its end, MOST bytes of
it at most.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Dict, List, Optional

from .. import daemon
from .fake import Answer, FakeDaemon, Request

PRIVATE = {"authorization", "cookie", "proxy-authorization", "x-api-key"}
LEFT_OUT = {"auth", "cookies", "proxy_auth", "timeout", "tag", "session"}
BODIES = ("body", "body_base64", "json", "form", "multipart")
MOST = 64 << 20  # bytes of one recorded body
ENVIRONMENT = "CURLEW_RECORD"


class TapeError(AssertionError):
    """The tape has no such request, or can't be read."""


class Tape(FakeDaemon):
    """Replays `path`; or, given a daemon to ask, records it. save() writes the file."""

    def __init__(self, path: str, real: Optional[daemon.Daemon] = None) -> None:
        super().__init__()
        self.path = path
        self.real = real
        self.requests: List[Request] = []
        self.entries: List[Dict[str, Any]] = [] if real else read(path)
        self._next: Dict[str, int] = {}  # by request, which of its answers comes next

    def answer_to(self, request: Request) -> Answer:
        self.requests.append(request)
        return self._record(self.real, request) if self.real else self._replay(request)

    def _replay(self, request: Request) -> Answer:
        wanted = known_by(request)
        found = [each["answer"] for each in self.entries if known_by(each["request"]) == wanted]
        if not found:
            method = request.get("method", "GET")
            raise TapeError(
                f"{self.path} has no {method} {request['url']}; {ENVIRONMENT}=1 records it anew"
            )
        turn = self._next.get(wanted, 0)
        self._next[wanted] = turn + 1
        return from_json(found[min(turn, len(found) - 1)])

    def _record(self, real: daemon.Daemon, request: Request) -> Answer:
        """Every request goes as a whole fetch, whatever route it was asked by."""
        asked = {k: v for k, v in request.items() if k != "forward_headers"}
        reply = real.exchange(
            "POST",
            "/v1/fetch",
            headers=(("Accept", daemon.FRAMES), ("Content-Type", "application/json")),
            body=json.dumps({**asked, "max_body_bytes": MOST}).encode(),
        )
        if reply.status == 200:
            line, _, body = reply.body.partition(b"\n")
            told = Answer(json.loads(line), body[:-1])
        else:
            told = Answer({}, b"", json.loads(reply.body))
        self.entries.append({"request": shown(request), "answer": to_json(told)})
        return told

    def save(self) -> None:
        if not self.real:
            return
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.entries, file, indent=1, ensure_ascii=False)
            file.write("\n")


def is_to_be_recorded(path: str) -> bool:
    return bool(os.environ.get(ENVIRONMENT)) or not os.path.exists(path)


def read(path: str) -> List[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            entries: List[Dict[str, Any]] = json.load(file)
            return entries
    except (OSError, ValueError) as why:
        raise TapeError(f"{path} can't be read: {why}") from why


def known_by(request: Request) -> str:
    """What makes two requests the same."""
    keys = ("url", "params", *BODIES)
    return json.dumps([request.get("method", "GET"), *(request.get(key) for key in keys)])


def shown(request: Request) -> Request:
    """A request without what identifies somebody."""
    kept = {k: v for k, v in request.items() if k not in LEFT_OUT}
    headers = kept.pop("headers", None) or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    told = [[n, v] for n, v in pairs if n.lower() not in PRIVATE]
    return {**kept, **({"headers": told} if told else {})}


def to_json(told: Answer) -> Dict[str, Any]:
    if told.problem:
        return {"problem": told.problem}
    try:
        return {"envelope": told.envelope, "body": told.body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"envelope": told.envelope, "body_base64": base64.b64encode(told.body).decode()}


def from_json(said: Dict[str, Any]) -> Answer:
    if "problem" in said:
        return Answer({}, b"", said["problem"])
    body = said["body"].encode() if "body" in said else base64.b64decode(said["body_base64"])
    return Answer(said["envelope"], body)
