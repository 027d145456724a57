"""manage.py curlew status | fetch URL | top"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any, Dict, Iterator, List, Tuple

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_curlew import conf, daemon

PATIENCE = 5.0  # seconds for a question about the daemon itself
FETCH_PATIENCE = 86400.0  # a fetch has the daemon's own limits; this is the last
CLEAR = "\x1b[H\x1b[2J"

Status = Dict[str, Any]


class Command(BaseCommand):
    help = "Look at curlewd, and fetch through it."
    requires_system_checks: List[str] = []  # it is asked for when something is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="what", metavar="status|fetch|top", required=True)
        status = commands.add_parser("status", help="whether it runs, and what it does")
        status.add_argument("--json", action="store_true", help="all that it tells, as JSON")
        top = commands.add_parser("top", help="the same, again and again")
        top.add_argument("--every", type=float, default=1.0, metavar="SECONDS")
        top.add_argument("--count", type=int, default=0, metavar="N", help="then end")
        self.add_fetch(commands.add_parser("fetch", help="fetch a URL, print its body"))

    def add_fetch(self, parser: CommandParser) -> None:
        parser.add_argument("url")
        parser.add_argument("-X", "--request", dest="method", metavar="METHOD")
        parser.add_argument(
            "-H", "--header", dest="headers", action="append", metavar="NAME: VALUE"
        )
        parser.add_argument("-d", "--data", metavar="TEXT", help="a body; @FILE reads one")
        parser.add_argument("-i", "--include", action="store_true", help="print the head, too")
        parser.add_argument("-o", "--output", metavar="FILE")
        parser.add_argument("-k", "--insecure", action="store_true", help="take any certificate")
        parser.add_argument("--no-redirects", action="store_true")
        parser.add_argument("--session", metavar="NAME")
        parser.add_argument("--timeout", type=float, metavar="SECONDS")
        parser.add_argument("--envelope", action="store_true", help="print what the daemon tells")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            getattr(self, what)(**options)
        except (daemon.DaemonError, conf.NotConfigured) as why:
            raise CommandError(str(why)) from why

    # -- status, top ------------------------------------------------------------------------------

    def status(self, json: bool, **_: Any) -> None:
        told = ask_status()
        self.stdout.write(dumps(told) if json else "\n".join(lines(told)))

    def top(self, every: float, count: int, **_: Any) -> None:
        earlier: Tuple[float, Status] = (time.monotonic(), ask_status())
        n = 0
        try:
            while not count or n < count:
                time.sleep(every)
                now, told = time.monotonic(), ask_status()
                page = "\n".join([*lines(told), "", *rates(earlier[1], told, now - earlier[0])])
                self.stdout.write((CLEAR if sys.stdout.isatty() else "") + page)
                self.stdout.flush()
                earlier, n = (now, told), n + 1
        except KeyboardInterrupt:
            pass

    # -- fetch ------------------------------------------------------------------------------------

    def fetch(self, **options: Any) -> None:
        request = request_object(**options)
        reply = daemon.current().exchange(
            "POST",
            "/v1/fetch",
            headers=(("Accept", daemon.FRAMES), ("Content-Type", "application/json")),
            body=json.dumps(request).encode(),
            timeout=FETCH_PATIENCE,
        )
        if reply.status != 200:
            raise CommandError(words_of(reply))
        line, _, body = reply.body.partition(b"\n")
        told = json.loads(line)
        self.show(told, body[: told["body_bytes"]], **options)

    def show(
        self, told: Status, body: bytes, envelope: bool, include: bool, output: str, **_: Any
    ) -> None:
        if envelope:
            self.stdout.write(dumps(told))
            return
        if include:
            self.stdout.write(f"HTTP/{told['http_version']} {told['status']} {told['reason']}")
            for name, value in told["headers"]:
                self.stdout.write(f"{name}: {value}")
            self.stdout.write("")
        if output:
            with open(output, "wb") as file:
                file.write(body)
        else:
            self.stdout.write(body.decode(told.get("encoding") or "utf-8", "replace"), ending="")


def request_object(
    url: str,
    method: str,
    headers: List[str],
    data: str,
    insecure: bool,
    no_redirects: bool,
    session: str,
    timeout: float,
    **_: Any,
) -> Dict[str, Any]:
    told: Dict[str, Any] = {"url": url}
    if headers:
        told["headers"] = [pair(each) for each in headers]
    if data is not None:
        told["body_base64"] = base64.b64encode(read(data)).decode()
    for key, value in (("method", method), ("session", session), ("timeout", timeout)):
        if value is not None:
            told[key] = value
    if insecure:
        told["verify"] = False
    if no_redirects:
        told["follow_redirects"] = False
    return told


def pair(header: str) -> List[str]:
    name, colon, value = header.partition(":")
    if not colon:
        raise CommandError(f"{header!r} is no header: NAME: VALUE")
    return [name.strip(), value.strip()]


def read(data: str) -> bytes:
    if not data.startswith("@"):
        return data.encode()
    try:
        with open(data[1:], "rb") as file:
            return file.read()
    except OSError as why:
        raise CommandError(str(why)) from why


def ask_status() -> Status:
    asked = daemon.current()
    reply = asked.exchange("GET", "/v1/status", idempotent=True, timeout=PATIENCE)
    if reply.status != 200:
        raise CommandError(words_of(reply))
    told: Status = json.loads(reply.body)
    return {"url": asked.url, **told}


def words_of(reply: daemon.Response) -> str:
    """What a problem document says."""
    try:
        said = json.loads(reply.body)
        return f"{said['code']}: {said['detail']}"
    except (ValueError, LookupError, TypeError):
        return f"HTTP {reply.status}: this is not curlewd"


def dumps(told: Status) -> str:
    return json.dumps(told, indent=2, ensure_ascii=False)


def lines(told: Status) -> Iterator[str]:
    """A status for people."""
    engine = told["engine"]
    used = engine["connections_opened"] + engine["connections_reused"]
    yield f"curlewd {told['version']} at {told['url']}: {told['status']}, up {told_time(told)}"
    yield (
        f"  {engine['in_flight']} in flight, {engine['queued']} queued,"
        f" {engine['connections']} connections open"
    )
    if used:
        yield f"  {engine['connections_reused'] * 100 / used:.0f} % of {used} on a warm connection"
    yield f"  {'session':<24} {'in flight':>9} {'ok':>10} {'failed':>8}"
    for name, session in told["sessions"].items():
        ok, failed = outcomes(session)
        yield f"  {name:<24} {session['in_flight']:>9} {ok:>10} {failed:>8}"


def told_time(told: Status) -> str:
    seconds = int(told["uptime_seconds"])
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return (
        f"{days} d {hours} h"
        if days
        else f"{hours} h {minutes} min"
        if hours
        else (f"{minutes} min {seconds % 60} s")
    )


def outcomes(session: Status) -> Tuple[int, int]:
    """Fetches that brought an answer, and those that did not."""
    ok = int(session["outcomes"].get("ok", 0))
    return ok, sum(session["outcomes"].values()) - ok


def rates(before: Status, told: Status, seconds: float) -> Iterator[str]:
    """What happened between two of them."""
    old, new = before["engine"]["fetch_seconds"], told["engine"]["fetch_seconds"]
    n, took = new["count"] - old["count"], new["sum"] - old["sum"]
    received = told["engine"]["received_bytes"] - before["engine"]["received_bytes"]
    yield f"  {n / seconds:.1f} fetches a second, {took / n * 1000 if n else 0:.1f} ms each"
    yield f"  {received / seconds / 1024:.1f} KiB a second received"
