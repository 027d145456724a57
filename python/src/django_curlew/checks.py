"""System checks: `manage.py check`, and with `--deploy` whether outsiders can use the mount.

| id | finding |
|---|---|
| curlew.E001 | CURLEW is not a dict, or has an unknown key or a value of another kind |
| curlew.E002 | URL or BRIDGE_URL is not an address |
| curlew.W003 | CURLEW["URL"] is not set |
| curlew.W004 | (network) curlewd does not respond, or something else does |
| curlew.W005 | (network) curlewd is older than this package requires |
| curlew.E006 | (network) curlewd requires a token, and TOKEN is missing or wrong |
| curlew.E007 | (--deploy) everybody who reaches the site can have the daemon fetch any URL |
| curlew.W008 | CURLEW has a key under its former name, or one without an effect any more |
| curlew.W009 | (--deploy) the project uses HandOff, and no web server delivers it |

Those marked "network" run with `--deploy` and with `--tag curlew` only: `check`, `migrate`,
`runserver` and `test` ask nobody.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import ipaddress
import json
import os
import secrets
import socket
import ssl
import sys
from http.client import HTTPException
from typing import Any, Dict, Iterator, List, NamedTuple, Optional
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import get_resolver
from django.utils.module_loading import import_string

from . import conf, daemon, setting_values
from .daemon import foreign_response

MIN_DAEMON_VERSION = (0, 1)
TIMEOUT = 2.0  # seconds for each request
MAX_SITES = 8  # that the checks for --deploy try
SAME_PAGE = 0.9  # of a page's text: tokens and times in it may differ
TAG = "curlew"


@register(TAG)
def check_settings(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """The keys of CURLEW, and the form of their values."""
    curlew = conf.project_settings()
    problem = setting_values.problem_of_whole(curlew)
    if problem:
        return [Error(problem, id="curlew.E001")]
    unknown = [k for k in curlew if k not in (*conf.DEFAULTS, *conf.RENAMED, *conf.REMOVED)]
    messages: List[CheckMessage] = [
        Error(f"CURLEW has no key {key!r}.", _suggestion(key), id="curlew.E001")
        for key in sorted(unknown, key=str)
    ]
    messages += _check_former_names(curlew)
    for key, value in curlew.items():
        problem = setting_values.problem_of_value(conf.RENAMED.get(key, key), value)
        if problem:
            messages.append(Error(problem, id="curlew.E001"))
        elif key in ("URL", "BRIDGE_URL") and value:
            messages += _check_address(f'CURLEW["{key}"]', value)
    if not curlew.get("URL") and os.environ.get(conf.ENV_VAR):
        messages += _check_address(conf.ENV_VAR, os.environ[conf.ENV_VAR])
    return messages + _check_url_is_set(messages)


def _check_former_names(curlew: Any) -> Iterator[CheckMessage]:
    for old, new in conf.RENAMED.items():
        if old in curlew and new in curlew:
            hint = f"Remove {old!r}, the former name of {new!r}."
            yield Error(f"CURLEW has both {old!r} and {new!r}.", hint, id="curlew.E001")
        elif old in curlew:
            yield Warning(f"CURLEW[{old!r}] is now CURLEW[{new!r}].", id="curlew.W008")
    for name in conf.REMOVED:
        if name in curlew:
            text = f"CURLEW[{name!r}] has no effect any more: remove it."
            yield Warning(text, id="curlew.W008")


def _suggestion(key: object) -> str:
    close = setting_values.similar(key)
    return f"Did you mean {close!r}?" if close else f"The keys are {', '.join(conf.DEFAULTS)}."


def _check_url_is_set(messages: List[CheckMessage]) -> List[CheckMessage]:
    """Not if there is an error already: it may be about the address."""
    if any(message.is_serious() for message in messages) or conf.configured_url() is not None:
        return []
    if settings.DEBUG and conf.get("EMBEDDED") is not False:
        return []  # a curlewd is started for development
    return [
        Warning(
            'CURLEW["URL"] is not set.',
            f'Set CURLEW = {{"URL": …}}, or the environment variable {conf.ENV_VAR}.',
            id="curlew.W003",
        )
    ]


def _check_address(name: str, url: str) -> List[CheckMessage]:
    try:
        address = daemon.parse_address(url)
    except daemon.AddressError as err:
        return [Error(f"{name}: {err}", id="curlew.E002")]
    if "BRIDGE_URL" in name and address.protocol != "fcgi":
        text = f"{name} must be fcgi+unix:… or fcgi://…: the bridge uses FastCGI."
        return [Error(text, id="curlew.E002")]
    return []


@register(TAG)
def check_daemon(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Whether curlewd responds, and is new enough; with `--deploy` and with `--tag curlew` only."""
    if not _is_network_asked_for():
        return []
    try:
        if conf.configured_url() is None:
            return []  # check_settings reports it
        current = daemon.current()
        response = current.exchange("GET", "/v1/status", idempotent=True, timeout=TIMEOUT)
    except (daemon.AddressError, conf.NotConfigured):
        return []  # check_settings reports it
    except daemon.DaemonError as err:
        return [Warning(str(err), 'Start it, or correct CURLEW["URL"].', id="curlew.W004")]
    return _check_status(current, response)


def _is_network_asked_for() -> bool:
    """Django does not tell a check for what it runs; only the arguments of its run_checks() do."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "run_checks":
        frame = frame.f_back
    arguments = frame.f_locals if frame is not None else {}
    by_tag = TAG in (arguments.get("tags") or ())
    return by_tag or bool(arguments.get("include_deployment_checks"))


def _check_status(asked: daemon.Daemon, response: daemon.Response) -> List[CheckMessage]:
    url = asked.url
    if response.status == 401:
        return [
            Error(
                f"curlewd at {url} requires a token.",
                'Set CURLEW["TOKEN"] to a token of its auth.tokens_file.',
                id="curlew.E006",
            )
        ]
    status = _parse_status(response.body) if response.status == 200 else None
    if status is None:
        return [
            Warning(
                f"{url}: {foreign_response.explanation_of(response)}",
                'Start curlewd, or correct CURLEW["URL"] or the web server\'s configuration.',
                id="curlew.W004",
            )
        ]
    version = str(status["version"])
    if tuple(int(n) for n in version.split(".")[:2] if n.isdigit()) < MIN_DAEMON_VERSION:
        required = ".".join(map(str, MIN_DAEMON_VERSION))
        return [
            Warning(
                f"curlewd at {url} is version {version}; this package requires {required}.",
                id="curlew.W005",
            )
        ]
    return []


def _parse_status(body: bytes) -> Optional[Dict[str, Any]]:
    """The document of the status route; None if it is something else."""
    try:
        status = json.loads(body)
        return status if status["version"] and "libraries" in status else None
    except (ValueError, LookupError, TypeError):
        return None


@register(Tags.security, TAG, deploy=True)
def check_exposure(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Whether outsiders can use the mount: without a token, by the site's public name or by another
    that they write into Host, and by any spelling of its path."""
    messages: List[CheckMessage] = []
    for site in sites() if conf.is_valid() else ():
        found = None if _is_loopback_site(site) else _exposed_url(site)
        if found:
            messages.append(
                Error(
                    f"Everybody who reaches {site} can have curlewd fetch any URL:"
                    f" {found} responds.",
                    "Restrict the mount to the Django host (examples/nginx/nginx.conf: allow,"
                    " deny); or give CurlewBridge secret= in place of open=True; or require tokens"
                    " (auth.tokens_file of curlewd.json).",
                    id="curlew.E007",
                )
            )
    return messages


@register(Tags.security, TAG, deploy=True)
def check_handoff_location(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Whether a web server keeps the location of handoffs to itself. Where none does, its URL is
    answered as any other that does not exist: by Django."""
    if not conf.is_valid() or not _uses_handoff() or _has_bridge():
        return []
    location = "/" + conf.get("HANDOFF").strip("/")
    return [
        Warning(
            f"Nothing at {site} delivers handoffs: {location}/ is answered as any other URL.",
            "Add the location to the web server (examples/nginx/nginx.conf), or use CurlewBridge."
            " If the bridge delivers them, let ASGI_APPLICATION name it, or silence this warning.",
            id="curlew.W009",
        )
        for site in sites()
        if _answers_alike(site.rstrip("/"), location, f"{location}-{secrets.token_hex(8)}")
    ]


def _uses_handoff() -> bool:
    """HandOff is imported only where it is used: by a view of the URL configuration."""
    with contextlib.suppress(Exception):  # Django's own check reports a URLconf that is broken
        get_resolver().url_patterns  # noqa: B018  (it is loaded by this)
    return "django_curlew.handoff" in sys.modules


def _has_bridge() -> bool:
    """Is the application that ASGI_APPLICATION names the bridge?"""
    name = getattr(settings, "ASGI_APPLICATION", None)
    if not name:
        return False
    try:
        application = import_string(name)
    except Exception:  # noqa: BLE001  (whatever the project's module raises)
        return False
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(application).__mro__}
    return "django_curlew.asgi.CurlewBridge" in kinds


def sites() -> List[str]:
    """The site's public URLs: SITE_URLS, or those of ALLOWED_HOSTS."""
    site_urls = conf.get("SITE_URLS")
    return list(site_urls) if site_urls is not None else list(_allowed_sites())[:MAX_SITES]


def _allowed_sites() -> Iterator[str]:
    for host in settings.ALLOWED_HOSTS:
        if host and "*" not in host:
            for scheme in ("https", "http"):
                yield f"{scheme}://{host.lstrip('.')}"


def mount() -> str:
    """The path of the mount: that of URL if it has one, else /_fetch."""
    try:
        return daemon.parse_address(conf.configured_url() or "").mount or "/_fetch"
    except daemon.AddressError:
        return "/_fetch"


def _is_loopback_site(site: str) -> bool:
    """Does its name resolve to loopback addresses only? Then the check says nothing about
    outsiders."""
    try:
        found = socket.getaddrinfo(urlsplit(site).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)


def _exposed_url(site: str) -> Optional[str]:
    """What responds to an outsider, in words; None if nothing does. A site that can't be reached is
    asked once."""
    for path in _spellings(mount()):
        for host in (None, "localhost"):
            url = f"{site.rstrip('/')}{path}/v1/status"
            answer = _ask(url, host)
            if answer is None:
                return None
            if answer.status == 200 and _parse_status(answer.body) is not None:
                return f"{url} with `Host: {host}`" if host else url
    return None


def _spellings(path: str) -> List[str]:
    """The path as it is, and as rules that compare it undecoded do not know it."""
    first, name = path[:1], path[1:]
    encoded = f"{first}%{ord(name[0]):02x}{name[1:]}"
    return [path, encoded, f"/{path}", f"/x/..{path}"]


class Answer(NamedTuple):
    """What a site has answered."""

    status: int
    header_names: "frozenset[str]"
    body: bytes  # at most 1 MiB


def _ask(url: str, host: Optional[str] = None) -> Optional[Answer]:
    """GET, with this Host if there is one; None if there is no answer."""
    # The certificate does not matter here, only what responds: one that this machine can't verify
    # must not hide that.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    request = Request(url, headers={"Host": host} if host else {})
    try:
        try:
            response = opener.open(request, timeout=TIMEOUT)
        except HTTPError as err:
            response = err
        with response:
            names = frozenset(name.lower() for name in response.headers)
            return Answer(response.status, names, response.read(1 << 20))
    except (OSError, ValueError, HTTPException):
        return None


def _answers_alike(site: str, *paths: str) -> bool:
    """Does the site answer these paths in the same way, but for their names?"""
    answers = []
    for path in paths:
        answer = _ask(f"{site}{path}/")
        if answer is None:
            return False
        text = answer.body[:4096].decode("latin-1").replace(path, "").replace(path.strip("/"), "")
        answers.append((answer.status, answer.header_names, text))
    (status, names, text), (other_status, other_names, other_text) = answers
    ratio = difflib.SequenceMatcher(None, text, other_text, autojunk=False).ratio()
    alike = (status, names) == (other_status, other_names) and ratio > SAME_PAGE
    return alike and (status == 404 or status < 400)  # else the site is closed to us, or down
