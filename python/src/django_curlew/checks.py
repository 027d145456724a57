"""System checks: `manage.py check`, and with `--deploy` whether the mount is open to the world.

| id | what |
|---|---|
| curlew.E001 | CURLEW is no dict, or has a key that does not exist |
| curlew.E002 | URL or BRIDGE_URL is no address of a daemon |
| curlew.W003 | nobody said where curlewd is |
| curlew.W004 | it does not answer, or somebody else does |
| curlew.W005 | it is older than this package |
| curlew.E006 | it asks for a token, and TOKEN is not good |
| curlew.E007 | (--deploy) whoever reaches the site may have the daemon fetch any URL |
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import socket
import ssl
from typing import Any, Dict, Iterator, List, Optional
from urllib.error import HTTPError
from urllib.parse_address import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from . import conf, daemon

NEEDS = (0, 1)  # the daemon's version, at least
PATIENCE = 2.0  # seconds for each question
MOST_SITES = 8  # to be asked about the mount
TAG = "curlew"


@register(TAG)
def check_settings(app_configs: Any, **_: Any) -> List[CheckMessage]:
    given = getattr(settings, "CURLEW", None)
    if given is not None and not isinstance(given, dict):
        return [Error("CURLEW is not a dict.", id="curlew.E001")]
    unknown = sorted(set(given or {}) - set(conf.DEFAULTS))
    found = [
        Error(f"CURLEW has no key {key!r}.", _nearest(key), id="curlew.E001") for key in unknown
    ]
    for key in ("URL", "BRIDGE_URL"):
        url = (given or {}).get(key)
        found += _check_address(key, url) if url else []
    return found


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(str(key).upper(), conf.DEFAULTS, 1)
    return f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(conf.DEFAULTS)}."


def _check_address(key: str, url: Any) -> List[CheckMessage]:
    try:
        address = daemon.parse_address(url)
    except daemon.AddressError as why:
        return [Error(f"CURLEW's {key}: {why}", id="curlew.E002")]
    if key == "BRIDGE_URL" and address.protocol != "fcgi":
        return [
            Error(
                "CURLEW's BRIDGE_URL must be fcgi+unix:… or fcgi://…: the bridge speaks FastCGI.",
                id="curlew.E002",
            )
        ]
    return []


@register(TAG)
def check_daemon(app_configs: Any, **_: Any) -> List[CheckMessage]:
    if conf.configured_url() is None:
        if settings.DEBUG and conf.get("EMBEDDED") is not False:
            return []  # runserver starts its own
        return [
            Warning(
                "Nobody said where curlewd is.",
                f'Set CURLEW = {{"URL": …}}, or the environment\'s {conf.ENVIRONMENT}.',
                id="curlew.W003",
            )
        ]
    try:
        asked = daemon.current()
        reply = asked.exchange("GET", "/v1/status", idempotent=True, timeout=PATIENCE)
    except daemon.AddressError:
        return []  # check_settings has said so
    except daemon.DaemonError as why:
        return [Warning(str(why), "Start it, or correct CURLEW's URL.", id="curlew.W004")]
    return _judge(asked.url, reply)


def _judge(url: str, reply: daemon.Response) -> List[CheckMessage]:
    if reply.status == 401:
        return [
            Error(
                f"curlewd at {url} asks for a token.",
                "Set CURLEW's TOKEN to one of its auth.tokens_file.",
                id="curlew.E006",
            )
        ]
    told = _status(reply.body) if reply.status == 200 else None
    if told is None:
        return [
            Warning(
                f"What answers at {url} is not curlewd (HTTP {reply.status}).",
                "Is the path that of its mount?",
                id="curlew.W004",
            )
        ]
    version = str(told["version"])
    if tuple(int(n) for n in version.split(".")[:2] if n.isdigit()) < NEEDS:
        needed = ".".join(map(str, NEEDS))
        return [
            Warning(
                f"curlewd at {url} is version {version}; this package needs {needed}.",
                id="curlew.W005",
            )
        ]
    return []


def _status(body: bytes) -> Optional[Dict[str, Any]]:
    """The daemon's own account; None where it is not."""
    try:
        told = json.loads(body)
        return told if told["version"] and "engine" in told else None
    except (ValueError, LookupError, TypeError):
        return None


@register(Tags.security, TAG, deploy=True)
def check_exposure(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Ask as an outsider would: by the site's own name, without a token."""
    return [
        Error(
            f"Whoever reaches {site} may have curlewd fetch any URL: {where} answers.",
            "Let the web server admit the Django host alone (examples/nginx/nginx.conf: allow,"
            " deny), or have the daemon ask for tokens (auth.tokens_file).",
            id="curlew.E007",
        )
        for site in sites()
        for where in [site.rstrip("/") + mount() + "/v1/status"]
        if not _is_here(site) and _answers(where)
    ]


def sites() -> List[str]:
    """The site as outsiders call it: SITE_URLS, or what ALLOWED_HOSTS names."""
    given = conf.get("SITE_URLS")
    return list(given) if given is not None else list(_allowed())[:MOST_SITES]


def _allowed() -> Iterator[str]:
    for host in settings.ALLOWED_HOSTS:
        if host and "*" not in host:
            for scheme in ("https", "http"):
                yield f"{scheme}://{host.lstrip('.')}"


def mount() -> str:
    """The path to try: that of URL where it has one, else the usual."""
    try:
        return daemon.parse_address(conf.configured_url() or "").mount or "/_fetch"
    except daemon.AddressError:
        return "/_fetch"


def _is_here(site: str) -> bool:
    """Would the question never leave this machine? Then the answer says nothing of outsiders."""
    try:
        found = socket.getaddrinfo(urlsplit(site).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)


def _answers(where: str) -> bool:
    # Who is asked does not matter, only whether the daemon answers: a certificate of the site's
    # that this machine does not know must not hide it.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(where, timeout=PATIENCE) as answer:
            return _status(answer.read(1 << 20)) is not None
    except HTTPError as refused:
        refused.close()
        return False
    except (OSError, ValueError):
        return False
