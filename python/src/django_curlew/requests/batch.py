"""Many fetches by one call: `…/v1/batch`, and the frames of its answer."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Dict, Generic, Iterator, List, Tuple

from .. import context, daemon, record
from ..jsons import dumps, loads
from . import problem
from .base import R, add
from .exceptions import DaemonError, RequestException, Unsupported
from .parameters import GRACE, NOT_SET
from .plan import BATCH, FRAMES, Plan

if TYPE_CHECKING:
    from .base import BaseSession

Keys = Dict[str, Any]

POSITIONAL = ("params", "data", "content", "json", "headers", "cookies", "files", "auth")
LONGEST_LINE = 8 << 20  # an envelope without its body: heads of at most 100 hops of 256 KiB


def named(positional: Any, timeout: Any, how: Any) -> Keys:
    """request()'s arguments by name, without those that were not given."""
    keys: Keys = dict(how)
    if positional != NOTHING:
        keys.update((n, v) for n, v in zip(POSITIONAL, positional) if v is not None)
    if timeout is not NOT_SET:
        keys["timeout"] = timeout
    return keys


NOTHING = (None,) * len(POSITIONAL)


def no_websockets() -> Unsupported:
    return Unsupported("The daemon speaks no WebSocket; use the `websockets` package")


def plan_of(session: "BaseSession[Any]", said: Any) -> Plan:
    """One request of a batch, however it is said."""
    if isinstance(said, str):
        return Plan(session, "GET", said, {})
    if isinstance(said, dict):
        how = dict(said)
        method, url = how.pop("method", "GET"), how.pop("url")
    else:
        method, url, *rest = said
        how = dict(rest[0]) if rest else {}
    plan = Plan(session, method, url, how)
    if plan.streams:
        raise ValueError("a request of a batch can't be streamed")
    return plan


def plans_of(session: "BaseSession[Any]", requests: Any) -> List[Plan]:
    """All of them; of plain URLs that need nothing worked out, each a copy of the first."""
    plans: List[Plan] = []
    model = None
    for said in requests:
        if model is not None and isinstance(said, str):
            plans.append(model.copy(said))
            continue
        plans.append(plan_of(session, said))
        if isinstance(said, str) and plans[-1].can_be_copied(session):
            model = plans[-1]
    return plans


class Batch(Generic[R]):
    """A batch, made ready; then what comes back, frame by frame."""

    route = ("POST", BATCH)

    def __init__(self, session: "BaseSession[R]", requests: Any, max_parallel: int) -> None:
        if max_parallel < 1:
            raise ValueError("max_parallel must be at least 1")
        self._session = session
        self.plans = plans_of(session, requests)
        self._max_parallel = min(max_parallel, 1000)
        self._pieces: List[bytes] = []  # of a frame that is not whole yet
        self._held = 0  # bytes in them
        self._wanted = 1  # … before it is worth while to look again
        self._line: Keys = {}  # its envelope, once that is there
        self._missing = set(range(len(self.plans)))
        self._record = record.current()
        self._began = time.perf_counter()

    def asked(self) -> Any:
        """How the daemon is asked: Daemon.exchange's arguments."""
        first = self.plans[0].keys
        common = {k: v for k, v in first.items() if k in COMMON and self._all_say(k, v)}
        document = {
            "requests": [{k: v for k, v in p.keys.items() if k not in common} for p in self.plans],
            "defaults": common,
            "max_parallel": self._max_parallel,
        }
        turns = math.ceil(len(self.plans) / self._max_parallel)
        return {
            "headers": FRAMES,
            "body": dumps(document),
            "trace": context.headers(),
            "timeout": max(plan.patience for plan in self.plans) * turns + GRACE,
            "idempotent": all(plan.idempotent for plan in self.plans),
        }

    def _all_say(self, key: str, value: Any) -> bool:
        return all(plan.keys.get(key) == value for plan in self.plans)

    def feed(self, piece: bytes) -> Iterator[Tuple[int, Any]]:
        """(index, response or exception) of each frame that is whole now."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held < self._wanted:
            return
        data = piece if len(self._pieces) == 1 else b"".join(self._pieces)
        at = 0
        while True:
            if not self._line:
                end = data.find(b"\n", at)
                if end < 0:
                    self._wanted = len(data) - at + 1
                    break
                self._line = loads(data[at:end])
                at = end + 1
            end = at + self._line["body_bytes"]
            if len(data) <= end:
                self._wanted = end + 1 - at
                break
            envelope, self._line = self._line, {}
            yield self._result(envelope, data[at:end])
            at = end + 1
        self._pieces, self._held = [data[at:]], len(data) - at
        if not self._line and self._held > LONGEST_LINE:
            raise DaemonError("curlewd's answer has a line without an end")

    def _result(self, envelope: Keys, content: bytes) -> Tuple[int, Any]:
        index = envelope["index"]
        if index not in self._missing:
            raise DaemonError(f"curlewd answered request {index} of a batch twice, or unasked")
        self._missing.discard(index)
        plan, session, result = self.plans[index], self._session, None
        try:
            if not envelope["ok"]:
                error = envelope["error"]
                raise problem.exception(error, session._empty(plan), "impersonate" in plan.keys)
            result = session._respond(plan, envelope, content)
            session._checked(result)
        except RequestException as why:
            if self._record is not None:
                add(self._record, plan, self._began, result, why)
            return index, why
        if self._record is not None:
            add(self._record, plan, self._began, result, None)
        return index, result

    def check_whole(self) -> None:
        if self._missing or self._held:
            raise DaemonError(f"curlewd's answer lacks {len(self._missing)} of a batch's requests")

    def results(self, reply: daemon.Response, return_exceptions: bool) -> List[R]:
        """All of them, in order."""
        if reply.status != 200:
            raise problem.of_reply(reply)
        found: List[Any] = [None] * len(self.plans)
        for index, result in self.feed(reply.body):
            found[index] = result
        self.check_whole()
        if not return_exceptions:
            for result in found:
                if isinstance(result, BaseException):
                    raise result
        return found


# What may stand in a batch's `defaults`: no URL, no body, nothing of one request alone.
COMMON = frozenset(
    (
        *("timeout", "session", "follow_redirects", "max_redirects", "verify", "http_version"),
        *("auth", "proxy", "proxy_auth", "impersonate", "coalesce", "decompress"),
    )
)
