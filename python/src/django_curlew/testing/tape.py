"""Tape: responses of a real daemon, recorded in a file.

A tape is JSON, to be read and edited: a list of {"request": …, "response": …}. A request is matched
by its method, URL, params and body; if it is made several times, its responses are used in the
order in which they were recorded, and the last one again and again. Credentials of requests are not
recorded: headers whose names suggest them, `auth`, `cookies` and `proxy_auth`, the user and the
password in a URL. A request that is not on the tape raises TapeError, an AssertionError. A stream
is recorded as a whole, at most MAX_BODY_BYTES of it.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from .. import daemon
from ..daemon import unstubbed
from ..record import is_secret_header
from . import check_request
from .fake import FakeDaemon, FakeResult, RequestObject, fake_failure

OMITTED_KEYS = {"auth", "cookies", "proxy_auth", "timeout", "tag", "session"}
URL_KEYS = ("url", "proxy")
BODY_KEYS = ("body", "body_base64", "json", "form", "multipart")
MAX_BODY_BYTES = 64 << 20  # of a recorded response
ENV_VAR = "CURLEW_RECORD"


class TapeError(AssertionError):
    """The request is not on the tape, or the tape can't be read."""


class Tape(FakeDaemon):
    """Plays the tape at `path`; or records it, if `real` is a daemon to send the requests to. The
    caller then writes the file by save()."""

    def __init__(self, path: str, real: Optional[daemon.Daemon] = None) -> None:
        super().__init__()
        self.path = path
        self.real = real
        self.requests: List[RequestObject] = []
        self.entries: List[Dict[str, Any]] = [] if real else read_tape(path)
        self._next: Dict[str, int] = {}  # request key → index of its next response

    def result_of(self, request: RequestObject) -> FakeResult:
        self.requests.append(request)
        return self._record(self.real, request) if self.real else self._play(request)

    def _play(self, request: RequestObject) -> FakeResult:
        refused = check_request.problem_of(request)  # it may differ from the recorded one
        if refused:
            return fake_failure(*refused)
        key = request_key(request)
        found = [entry for entry in self.entries if request_key(entry["request"]) == key]
        if not found:
            method = request.get("method", "GET")
            raise TapeError(
                f"{method} {request['url']} is not on the tape {self.path}; set {ENV_VAR}=1 to"
                " record it again"
            )
        index = self._next.get(key, 0)
        self._next[key] = index + 1
        return decode_result(found[min(index, len(found) - 1)])

    def _record(self, real: daemon.Daemon, request: RequestObject) -> FakeResult:
        """Every request is sent to the fetch route, whatever route it was made to."""
        keys = {k: v for k, v in request.items() if k != "forward_headers"}
        with unstubbed.exempt():
            response = real.exchange(
                "POST",
                "/v1/fetch",
                headers=(("Accept", daemon.FRAMES), ("Content-Type", "application/json")),
                body=json.dumps({**keys, "max_body_bytes": MAX_BODY_BYTES}).encode(),
            )
        if response.status == 200:
            line, _, body = response.body.partition(b"\n")
            result = FakeResult(json.loads(line), body[:-1])
        else:
            result = FakeResult({}, b"", json.loads(response.body))
        self.entries.append({"request": redact(request), "response": encode_result(result)})
        return result

    def save(self) -> None:
        """Write the file, if this is a recording."""
        if not self.real:
            return
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.entries, file, indent=1, ensure_ascii=False)
            file.write("\n")


def should_record(path: str) -> bool:
    return bool(os.environ.get(ENV_VAR)) or not os.path.exists(path)


def read_tape(path: str) -> List[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            entries: List[Dict[str, Any]] = json.load(file)
            return entries
    except (OSError, ValueError) as err:
        raise TapeError(f"the tape {path} can't be read: {err}") from err


def request_key(request: RequestObject) -> str:
    """Two requests match if this is the same."""
    url, keys = _without_user(request.get("url")), ("params", *BODY_KEYS)
    return json.dumps([request.get("method", "GET"), url, *(request.get(key) for key in keys)])


def redact(request: RequestObject) -> RequestObject:
    """The request without credentials, and without keys that have no influence on the response."""
    kept = {k: v for k, v in request.items() if k not in OMITTED_KEYS}
    headers = kept.pop("headers", None) or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    public = [[n, v] for n, v in pairs if not is_secret_header(n)]
    kept.update((key, _without_user(kept[key])) for key in URL_KEYS if key in kept)
    return {**kept, **({"headers": public} if public else {})}


def _without_user(url: Any) -> Any:
    """A URL without user and password."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    except (ValueError, AttributeError, TypeError):
        return url  # not a URL: the daemon says so


def encode_result(result: FakeResult) -> Dict[str, Any]:
    if result.problem:
        return {"problem": result.problem}
    try:
        return {"envelope": result.envelope, "body": result.body.decode("utf-8")}
    except UnicodeDecodeError:
        encoded = base64.b64encode(result.body).decode()
        return {"envelope": result.envelope, "body_base64": encoded}


def decode_result(entry: Dict[str, Any]) -> FakeResult:
    """The result of a tape's entry. Tapes of version 0.1 have "answer" in place of "response"."""
    response = entry["response"] if "response" in entry else entry["answer"]
    if "problem" in response:
        return FakeResult({}, b"", response["problem"])
    if "body" in response:
        body = response["body"].encode()
    else:
        body = base64.b64decode(response["body_base64"])
    return FakeResult(response["envelope"], body)
