"""manage.py curlew status | fetch URL | top"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any, Dict, Iterator, List, Tuple

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_curlew import conf, daemon

STATUS_TIMEOUT = 5.0  # seconds
FETCH_TIMEOUT = 86400.0  # seconds; the daemon's own timeouts are shorter
CLEAR_SCREEN = "\x1b[H\x1b[2J"

Status = Dict[str, Any]


class Command(BaseCommand):
    """The command: one method for each of its subcommands."""

    help = "Show the status of curlewd, or fetch a URL with it."
    requires_system_checks: List[str] = []  # it must work if something is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", metavar="status|fetch|top", required=True)
        status = commands.add_parser("status", help="show whether it runs, and its fetches")
        status.add_argument("--json", action="store_true", help="print the whole status document")
        top = commands.add_parser("top", help="show the status repeatedly")
        top.add_argument("--every", type=float, default=1.0, metavar="SECONDS")
        top.add_argument("--count", type=int, default=0, metavar="N", help="exit after N times")
        self.add_fetch(commands.add_parser("fetch", help="fetch a URL, print its body"))

    def add_fetch(self, parser: CommandParser) -> None:
        parser.add_argument("url")
        parser.add_argument("-X", "--request", dest="method", metavar="METHOD")
        parser.add_argument(
            "-H", "--header", dest="headers", action="append", metavar="NAME: VALUE"
        )
        parser.add_argument("-d", "--data", metavar="TEXT", help="the body; @FILE reads a file")
        parser.add_argument("-i", "--include", action="store_true", help="print the head, too")
        parser.add_argument("-o", "--output", metavar="FILE")
        parser.add_argument("-k", "--insecure", action="store_true", help="accept any certificate")
        parser.add_argument("--no-redirects", action="store_true")
        parser.add_argument("--session", metavar="NAME")
        parser.add_argument("--timeout", type=float, metavar="SECONDS")
        parser.add_argument("--envelope", action="store_true", help="print the envelope instead")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, command)(**options)
        except (daemon.DaemonError, conf.NotConfigured) as err:
            raise CommandError(str(err)) from err

    # -- status, top ------------------------------------------------------------------------------

    def status(self, json: bool, **_: Any) -> None:
        status = request_status()
        self.stdout.write(to_json(status) if json else "\n".join(status_lines(status)))

    def top(self, every: float, count: int, **_: Any) -> None:
        before, status_before = time.monotonic(), request_status()
        n = 0
        try:
            while not count or n < count:
                time.sleep(every)
                now, status = time.monotonic(), request_status()
                rates = rate_lines(status_before, status, now - before)
                page = "\n".join([*status_lines(status), "", *rates])
                self.stdout.write((CLEAR_SCREEN if sys.stdout.isatty() else "") + page)
                self.stdout.flush()
                before, status_before, n = now, status, n + 1
        except KeyboardInterrupt:
            pass

    # -- fetch ------------------------------------------------------------------------------------

    def fetch(self, **options: Any) -> None:
        request = request_object(**options)
        response = daemon.current().exchange(
            "POST",
            "/v1/fetch",
            headers=(("Accept", daemon.FRAMES), ("Content-Type", "application/json")),
            body=json.dumps(request).encode(),
            timeout=FETCH_TIMEOUT,
        )
        if response.status != 200:
            raise CommandError(error_text(response))
        line, _, body = response.body.partition(b"\n")
        fetched = json.loads(line)
        self.print_fetched(fetched, body[: fetched["body_bytes"]], **options)

    def print_fetched(
        self,
        fetched: Dict[str, Any],
        body: bytes,
        envelope: bool,
        include: bool,
        output: str,
        **_: Any,
    ) -> None:
        if envelope:
            self.stdout.write(to_json(fetched))
            return
        if include:
            version, reason = fetched["http_version"], fetched["reason"]
            self.stdout.write(f"HTTP/{version} {fetched['status']} {reason}")
            for name, value in fetched["headers"]:
                self.stdout.write(f"{name}: {value}")
            self.stdout.write("")
        if output:
            with open(output, "wb") as file:
                file.write(body)
        else:
            self.stdout.write(body.decode(fetched.get("encoding") or "utf-8", "replace"), ending="")


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
    """The request object for the command's options."""
    keys: Dict[str, Any] = {"url": url}
    if headers:
        keys["headers"] = [parse_header(each) for each in headers]
    if data is not None:
        keys["body_base64"] = base64.b64encode(read_data(data)).decode()
    for key, value in (("method", method), ("session", session), ("timeout", timeout)):
        if value is not None:
            keys[key] = value
    if insecure:
        keys["verify"] = False
    if no_redirects:
        keys["follow_redirects"] = False
    return keys


def parse_header(header: str) -> List[str]:
    name, colon, value = header.partition(":")
    if not colon:
        raise CommandError(f"invalid header {header!r}: it must be NAME: VALUE")
    return [name.strip(), value.strip()]


def read_data(data: str) -> bytes:
    if not data.startswith("@"):
        return data.encode()
    try:
        with open(data[1:], "rb") as file:
            return file.read()
    except OSError as err:
        raise CommandError(str(err)) from err


def request_status() -> Status:
    """The document of the status route, and `url`."""
    current = daemon.current()
    response = current.exchange("GET", "/v1/status", idempotent=True, timeout=STATUS_TIMEOUT)
    if response.status != 200:
        raise CommandError(error_text(response))
    status: Status = json.loads(response.body)
    return {"url": current.url, **status}


def error_text(response: daemon.Response) -> str:
    """Code and detail of a problem document."""
    try:
        problem = json.loads(response.body)
        return f"{problem['code']}: {problem['detail']}"
    except (ValueError, LookupError, TypeError):
        return f"HTTP {response.status}: this server is not curlewd"


def to_json(document: Dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def status_lines(status: Status) -> Iterator[str]:
    """The status as text."""
    engine = status["engine"]
    used = engine["connections_opened"] + engine["connections_reused"]
    uptime = format_duration(int(status["uptime_seconds"]))
    yield f"curlewd {status['version']} at {status['url']}: {status['status']}, up {uptime}"
    yield (
        f"  {engine['in_flight']} in flight, {engine['queued']} queued,"
        f" {engine['connections']} connections open"
    )
    if used:
        yield f"  {engine['connections_reused'] * 100 / used:.0f} % of {used} reused a connection"
    yield f"  {'session':<24} {'in flight':>9} {'ok':>10} {'failed':>8}"
    for name, session in status["sessions"].items():
        ok, failed = outcomes(session)
        yield f"  {name:<24} {session['in_flight']:>9} {ok:>10} {failed:>8}"


def format_duration(seconds: int) -> str:
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s"


def outcomes(session: Status) -> Tuple[int, int]:
    """(fetches that had a response, fetches that failed)"""
    ok = int(session["outcomes"].get("ok", 0))
    return ok, sum(session["outcomes"].values()) - ok


def rate_lines(before: Status, after: Status, seconds: float) -> Iterator[str]:
    """The rates between two statuses that are `seconds` apart."""
    old, new = before["engine"]["fetch_seconds"], after["engine"]["fetch_seconds"]
    n, took = new["count"] - old["count"], new["sum"] - old["sum"]
    received = after["engine"]["received_bytes"] - before["engine"]["received_bytes"]
    yield f"  {n / seconds:.1f} fetches a second, {took / n * 1000 if n else 0:.1f} ms each"
    yield f"  {received / seconds / 1024:.1f} KiB a second received"
