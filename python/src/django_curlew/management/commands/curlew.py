"""manage.py curlew status | check | fetch URL | top"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import time
from typing import Any, Dict, Iterator, List, Optional

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_curlew import conf, daemon, diagnosis
from django_curlew.daemon import foreign_response
from django_curlew.status_text import printable, status_lines, top_lines
from django_curlew.terminal import Screen

STATUS_TIMEOUT = 5.0  # seconds
FETCH_TIMEOUT = 86400.0  # seconds; the daemon's own timeouts are shorter
MAX_WAIT = 30.0  # seconds between tries, if curlewd does not answer
STATUS_KEYS = frozenset(("version", "status", "uptime_seconds", "sessions"))

Status = Dict[str, Any]


class Command(BaseCommand):
    """The command: one method for each of its subcommands."""

    help = "Show the status of curlewd, or fetch a URL with it."
    requires_system_checks: List[str] = []  # it must work if something is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        names = "status|check|fetch|top"
        commands = parser.add_subparsers(dest="command", metavar=names, required=True)
        status = commands.add_parser("status", help="show whether it runs, and its fetches")
        status.add_argument("--json", action="store_true", help="print the whole status document")
        top = commands.add_parser("top", help="show rates, origins and sessions, live; q ends it")
        top.add_argument("--every", type=float, default=1.0, metavar="SECONDS")
        top.add_argument(
            "--count", type=int, metavar="N", help="exit after N times; without a terminal: 1"
        )
        check = commands.add_parser("check", help="say which step to curlewd or an origin fails")
        check.add_argument("--url", help="of an origin, to fetch from it, too")
        check.add_argument("--session", default="default", metavar="NAME")
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
            getattr(self, "check_way" if command == "check" else command)(**options)
        except (daemon.DaemonError, conf.NotConfigured) as err:
            raise CommandError(str(err)) from err

    # -- status, top ------------------------------------------------------------------------------

    def status(self, json: bool, **_: Any) -> None:
        status = request_status()
        self.stdout.write(to_json(status) if json else "\n".join(status_lines(status)))

    def top(self, every: float, count: int, **_: Any) -> None:
        every = max(0.1, every)
        if not self.stdout.isatty():
            self.print_top(every, count or 1)
            return
        try:
            with Screen(sys.stdout) as screen:
                show_top(screen, every, count or 0)
        except KeyboardInterrupt:
            pass

    def print_top(self, every: float, count: int) -> None:
        """For a pipe, or a file: no control characters, and an end."""
        before = request_status()
        for _ in range(count):
            time.sleep(every)
            after = request_status()
            self.stdout.write("\n".join(top_lines(before, after)))
            before = after

    # -- check ------------------------------------------------------------------------------------

    def check_way(self, url: str, session: str, **_: Any) -> None:
        for step in diagnosis.walk(url, session):
            word = self.style.SUCCESS("ok    ") if step.ok else self.style.ERROR("failed")
            self.stdout.write(f"{word}  {step.name:<10}  {printable(step.text)}")
            if not step.ok:
                self.stdout.write(f"        {'':<10}  → {printable(step.advice)}")
                raise CommandError(f"the way ends at: {step.name}")

    # -- fetch ------------------------------------------------------------------------------------

    def fetch(self, **options: Any) -> None:
        request = request_object(**options)
        current = daemon.current()
        response = current.exchange(
            "POST",
            "/v1/fetch",
            headers=(("Accept", daemon.FRAMES), ("Content-Type", "application/json")),
            body=json.dumps(request).encode(),
            timeout=FETCH_TIMEOUT,
        )
        if response.status != 200:
            raise CommandError(error_text(response))
        with reading(response):
            line, _, body = response.body.partition(b"\n")
            fetched = json.loads(line)
            body = body[: fetched["body_bytes"]]
        self.print_fetched(fetched, body, **options)

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
            write_file(output, body)
        else:
            self.stdout.write(to_text(body, fetched.get("encoding")), ending="")


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
        return data.encode("utf-8", "surrogateescape")  # as it was typed
    try:
        with open(data[1:], "rb") as file:
            return file.read()
    except OSError as err:
        raise CommandError(str(err)) from err


def write_file(path: str, body: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(body)
    except OSError as err:
        raise CommandError(str(err)) from err


def to_text(body: bytes, charset: Optional[str]) -> str:
    """The body as text; as UTF-8, if the origin names a charset that Python does not know."""
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def request_status() -> Status:
    """The document of the status route, and `url`."""
    current = daemon.current()
    response = current.exchange("GET", "/v1/status", idempotent=True, timeout=STATUS_TIMEOUT)
    if response.status != 200:
        raise CommandError(error_text(response))
    with reading(response):
        status: Status = json.loads(response.body)
        if not STATUS_KEYS.issubset(status):
            raise KeyError(*STATUS_KEYS.difference(status))
        return {"url": current.url, **status}


@contextlib.contextmanager
def reading(response: daemon.Response) -> Iterator[None]:
    """If the block does not find what curlewd's response has, it is another program's."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as err:
        raise CommandError(foreign_response.explanation_of(response)) from err


def error_text(response: daemon.Response) -> str:
    """Code and detail of a problem document; or what else has answered."""
    try:
        problem = json.loads(response.body)
        return f"{problem['code']}: {problem['detail']}"
    except (ValueError, LookupError, TypeError):
        return foreign_response.explanation_of(response)


def to_json(document: Dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def show_top(screen: Screen, every: float, count: int) -> None:
    """Until q is pressed, or `count` times. A daemon that is restarted is waited for."""
    before, shown, wait, title = request_status(), 0, every, "curlewd"
    while not screen.is_quit(wait):
        width, height = screen.size()
        try:
            after = request_status()
        except (daemon.DaemonError, CommandError) as err:
            wait = min(MAX_WAIT, wait * 2)
            words = f"no answer: {err}"[: width - 1]
            screen.show([title[:width], "", words, f"next try in {wait:.0f} s; q ends"])
            continue
        screen.show(top_lines(before, after, width, height))
        before, wait, title = after, every, top_lines(before, after, width, 1)[0]
        shown += 1
        if shown == count:
            return
