"""The way from Django to the daemon and on to an origin, step by step: `manage.py curlew check`.

    for step in diagnosis.walk(url="https://api.example.com/"):
        print(step.name, step.ok, step.text, step.advice)

It ends with the first step that fails: the later ones could only fail for the same reason.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import socket
import stat
from typing import Any, Dict, Iterator, NamedTuple, Optional, Tuple
from urllib.parse import quote, urlsplit

from . import conf, daemon
from .daemon import foreign_response, socket_advice
from .daemon.address import Address

TIMEOUT = 5.0  # seconds for each step before the fetch
FETCH_TIMEOUT = 20.0
MIN_VERSION = (0, 1)
START = "start it, or correct the address in CURLEW"
SET = "set CURLEW in settings.py; docs/django.md lists the keys"
ADDRESS = "correct the address, or what listens there"


class Step(NamedTuple):
    """One step of the way, and whether it could be gone."""

    name: str
    ok: bool
    text: str  # what was found
    advice: str = ""  # what to do, if it failed


class Failed(Exception):
    """A step has failed: what was found, and what to do."""

    def __init__(self, text: str, advice: str = "") -> None:
        super().__init__(text)
        self.text, self.advice = text, advice


def walk(url: Optional[str] = None, session: str = "default") -> Iterator[Step]:
    """The steps, as they are done. `url`: an origin to fetch from at the end."""
    way = _Way(session)
    for name, action in way.steps():
        try:
            text = action()
        except Failed as failed:
            yield Step(name, False, failed.text, failed.advice)
            return
        yield Step(name, True, text)
    if url:
        yield from fetch_steps(url, way.fetch(url))


class _Way:
    """What earlier steps have found, for later ones."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.daemon: Any = None

    def steps(self) -> Iterator[Tuple[str, Any]]:
        yield "settings", self.settings
        if self.address.is_unix:
            yield "socket", self.socket
        yield "connect", self.connect
        yield "curlewd", self.health
        yield "token", self.token
        yield "session", self.has_session

    @property
    def address(self) -> Address:
        address: Address = self.daemon.address
        return address

    def settings(self) -> str:
        try:
            self.daemon = daemon.current()
        except conf.NotConfigured as err:
            raise Failed(str(err), SET) from err
        where = conf.ENV_VAR if not conf.get("URL") else 'CURLEW["URL"]'
        if not conf.configured_url():
            where = "development's own curlewd"
        return f"{where} is {self.daemon.url}, {_way_of(self.address)}"

    def socket(self) -> str:
        """That it exists, is a socket, and who may use it."""
        path = self.address.path
        try:
            found = os.stat(path)
        except OSError as err:
            text = socket_advice.explain(path, err, self._listener()) or str(err)
            raise Failed(*_split(text)) from err
        if not stat.S_ISSOCK(found.st_mode):
            raise Failed(f"{path} is not a socket", "correct the address")
        owner = socket_advice.user_name(found.st_uid), socket_advice.group_name(found.st_gid)
        return f"{path} belongs to {':'.join(owner)}, mode {stat.S_IMODE(found.st_mode):04o}"

    def connect(self) -> str:
        address = self.address
        try:
            with contextlib.closing(_connect(address)):
                return "somebody accepts connections"
        except OSError as err:
            if address.is_unix:
                text = socket_advice.explain(address.path, err, self._listener()) or str(err)
                raise Failed(*_split(text)) from err
            raise Failed(*_tcp_failure(address, err)) from err

    def _listener(self) -> str:
        return "curlewd" if self.address.protocol == "fcgi" else "the web server"

    def ask(self, route: str) -> Any:
        try:
            return self.daemon.exchange("GET", route, idempotent=True, timeout=TIMEOUT)
        except daemon.ProtocolError as err:
            other = "a FastCGI socket" if self.address.protocol == "http" else "an HTTP server"
            raise Failed(str(err), f"what listens there is another program, or {other}") from err
        except daemon.DaemonTimeout as err:
            raise Failed(
                str(err), "another program may listen there; else see the log of curlewd"
            ) from err
        except daemon.DaemonError as err:
            raise Failed(str(err), "see the log of curlewd") from err

    def health(self) -> str:
        response = self.ask("/healthz")
        with contextlib.suppress(ValueError, LookupError, TypeError):
            status = json.loads(response.body)["status"]
            if status == "draining":
                raise Failed("curlewd is draining: it is about to stop", "start it again")
            if status == "ok":
                return "it answers, and is ready"
        raise Failed(foreign_response.explanation_of(response), ADDRESS)

    def token(self) -> str:
        response = self.ask("/v1/status")
        if response.status == 401:
            if not self.daemon.token:
                advice = 'set CURLEW["TOKEN"] to one of auth.tokens_file'
                raise Failed("curlewd asks for a token", advice)
            raise Failed(
                "curlewd does not know this token",
                'compare CURLEW["TOKEN"] with auth.tokens_file; after a change of the file curlewd'
                " needs a SIGHUP; a web server must pass the Authorization header on",
            )
        status = _object_of(response)
        version, sessions = status.get("version"), status.get("sessions")
        if not isinstance(version, str) or not isinstance(sessions, (dict, list)):
            raise Failed(foreign_response.explanation_of(response), ADDRESS)
        if _numbers(version) < MIN_VERSION:
            wanted = ".".join(map(str, MIN_VERSION))
            raise Failed(f"curlewd {version} is older than {wanted}", "update it")
        kind = "accepted" if self.daemon.token else "none is set"
        limited = (
            "" if "engine" in status else f", for the sessions {', '.join(map(str, sessions))}"
        )
        return f"{kind}{limited}; curlewd is version {version}"

    def has_session(self) -> str:
        response = self.ask(f"/v1/sessions/{quote(self.session, safe='')}")
        if response.status == 404:
            raise Failed(
                f"there is no session {self.session!r}, or not for this token",
                "add it to `sessions` of curlewd.json, or to the token's line in auth.tokens_file",
            )
        _object_of(response)
        return f"{self.session} is there"

    def fetch(self, url: str) -> Any:
        keys = {
            "url": url,
            "session": self.session,
            "response_body": "none",
            "timeout": FETCH_TIMEOUT,
        }
        try:
            return self.daemon.exchange(
                "POST",
                "/v1/fetch",
                headers=(("Content-Type", "application/json"),),
                body=json.dumps(keys).encode(),
                timeout=FETCH_TIMEOUT + TIMEOUT,
            )
        except daemon.DaemonError as err:
            return err


def _way_of(address: Address) -> str:
    if address.protocol == "http":
        return "HTTP through a web server"
    return "FastCGI on a UNIX socket" if address.is_unix else "FastCGI over TCP"


def _split(text: str) -> Tuple[str, str]:
    """What socket_advice says: the facts, and after the semicolon what to do."""
    facts, _, advice = text.partition("; ")
    return facts, advice or "correct the address, or start curlewd there"


def _connect(address: Address) -> socket.socket:
    if not address.is_unix:
        return socket.create_connection((address.host, address.port), TIMEOUT)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(TIMEOUT)
        sock.connect(address.path)
    except OSError:
        sock.close()
        raise
    return sock


def _tcp_failure(address: Address, err: OSError) -> Tuple[str, str]:
    where = f"{address.host}:{address.port}"
    if isinstance(err, socket.gaierror):
        return f"the host name {address.host} can't be resolved", "correct the address"
    if isinstance(err, ConnectionRefusedError):
        if address.protocol == "http":
            return f"nobody listens on {where}", "start the web server, or correct the port"
        advice = f"start `curlewd --listen {where}`, or correct the port"
        return f"nobody listens on {where}", advice
    if isinstance(err, TimeoutError) or err.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"{where} can't be reached: {err}", "see routes and firewalls between the two"
    return str(err), START


def _object_of(response: Any) -> Dict[str, Any]:
    """A document of curlewd's; Failed if it is something else."""
    with contextlib.suppress(ValueError):
        document = json.loads(response.body)
        if response.status == 200 and isinstance(document, dict):
            return document
        if isinstance(document, dict) and "code" in document:
            text = f"{document['code']}: {document.get('detail', '')}"
            raise Failed(text, "see docs/api.md, Failures")
    raise Failed(foreign_response.explanation_of(response), ADDRESS)


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".")[:2] if part.isdigit())


# -- the fetch ------------------------------------------------------------------------------------

LOOK_UP, GUARD, CONNECTION, TLS, ANSWER = "look-up", "guard", "connection", "TLS", "answer"

# By code: the step at which a fetch ended, and what to do.
CODES: Dict[str, Tuple[str, str]] = {
    "bad_url": (LOOK_UP, "correct the URL"),
    "bad_request": (LOOK_UP, "correct what the detail names; a session's settings count, too"),
    "dns_failed": (LOOK_UP, "look the name up on the machine of curlewd: `getent hosts NAME`"),
    "blocked": (GUARD, "if the address is meant, allow it in egress.allow of curlewd.json"),
    "connect_failed": (CONNECTION, "see whether the origin runs, and a firewall lets curlewd out"),
    "connect_timeout": (CONNECTION, "see whether a firewall drops curlewd's packets"),
    "proxy_failed": (CONNECTION, "see the proxy of the session"),
    "tls_failed": (TLS, "a private CA needs ca_file in the session; else it is the certificate"),
    "origin_unavailable": (CONNECTION, "its circuit breaker is open: see why it keeps failing"),
    "overloaded": (LOOK_UP, "curlewd is at a limit: see docs/operations.md, Limits"),
    "draining": (LOOK_UP, "curlewd is about to stop: start it again"),
}


def fetch_steps(url: str, response: Any) -> Iterator[Step]:
    """What a fetch says about each step from curlewd to the origin."""
    if isinstance(response, daemon.DaemonError):
        yield Step(ANSWER, False, str(response), "see the log of curlewd")
        return
    try:
        document = json.loads(response.body)
        code = "" if response.status == 200 else str(document["code"])
    except (ValueError, LookupError, TypeError):
        text = foreign_response.explanation_of(response)
        yield Step(ANSWER, False, text, "the web server must pass POST …/v1/fetch on")
        return
    end, advice = CODES.get(code, (ANSWER, "see docs/api.md, Failures, and the log of the origin"))
    steps = list(_origin_steps(url, document if not code else {}))
    if end not in [name for name, _ in steps]:  # TLS, after a redirect
        end = ANSWER
    for name, text in steps:
        if code and name == end:
            yield Step(name, False, f"{code}: {document.get('detail', '')}", advice)
            return
        yield Step(name, True, text)


def _origin_steps(url: str, envelope: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    """Each step with what is known of it; `envelope` is {} if the fetch failed."""
    timing, connection = envelope.get("timing", {}), envelope.get("connection", {})
    host = _host_of(url)
    took = _milliseconds(timing)
    yield LOOK_UP, f"{host} is an address" if _is_ip(host) else f"{host} was found{took('dns')}"
    yield GUARD, "the egress rules let it through"
    peer = f"to {connection.get('remote_ip')}" if connection.get("remote_ip") else "made"
    warm = ", reused" if connection.get("reused") else took("connect")
    yield CONNECTION, f"{peer}{warm}"
    if url.lower().startswith("https:"):
        yield TLS, f"the certificate is good{took('tls')}"
    words = f"{envelope.get('status')} {envelope.get('reason', '')}".strip()
    yield ANSWER, f"{words}, HTTP/{envelope.get('http_version')}{took('total')}"


def _milliseconds(timing: Dict[str, Any]) -> Any:
    return lambda key: f" ({timing[key] * 1000:.0f} ms)" if timing.get(key) else ""


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
