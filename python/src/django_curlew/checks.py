"""System checks: `manage.py check`, and with `--deploy` whether outsiders can use the mount.

| id | finding |
|---|---|
| curlew.E001 | CURLEW is not a dict, or has an unknown key |
| curlew.E002 | URL or BRIDGE_URL is not valid |
| curlew.W003 | CURLEW["URL"] is not set |
| curlew.W004 | curlewd does not respond, or something else does |
| curlew.W005 | curlewd is older than this package requires |
| curlew.E006 | curlewd requires a token, and TOKEN is missing or wrong |
| curlew.E007 | (--deploy) everybody who reaches the site can have the daemon fetch any URL |
| curlew.W008 | CURLEW has a key under its former name |
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import socket
import ssl
from typing import Any, Dict, Iterator, List, Optional
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from . import conf, daemon

MIN_DAEMON_VERSION = (0, 1)
TIMEOUT = 2.0  # seconds for each request
MAX_SITES = 8  # that check_exposure tries
TAG = "curlew"


@register(TAG)
def check_settings(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """The keys and the addresses of CURLEW."""
    curlew = getattr(settings, "CURLEW", None)
    if curlew is None:
        return []
    if not isinstance(curlew, dict):
        return [Error("CURLEW is not a dict.", id="curlew.E001")]
    unknown = sorted(set(curlew) - set(conf.DEFAULTS) - set(conf.RENAMED))
    messages: List[CheckMessage] = [
        Error(f"CURLEW has no key {key!r}.", _suggestion(key), id="curlew.E001") for key in unknown
    ]
    messages += [
        Warning(f"CURLEW[{old!r}] is now CURLEW[{new!r}].", id="curlew.W008")
        for old, new in conf.RENAMED.items()
        if old in curlew
    ]
    for key in ("URL", "BRIDGE_URL"):
        url = curlew.get(key)
        messages += _check_address(key, url) if url else []
    return messages


def _suggestion(key: str) -> str:
    close = difflib.get_close_matches(str(key).upper(), conf.DEFAULTS, 1)
    return f"Did you mean {close[0]!r}?" if close else f"The keys are {', '.join(conf.DEFAULTS)}."


def _check_address(key: str, url: Any) -> List[CheckMessage]:
    try:
        address = daemon.parse_address(url)
    except daemon.AddressError as err:
        return [Error(f'CURLEW["{key}"]: {err}', id="curlew.E002")]
    if key == "BRIDGE_URL" and address.protocol != "fcgi":
        return [
            Error(
                'CURLEW["BRIDGE_URL"] must be fcgi+unix:… or fcgi://…: the bridge uses FastCGI.',
                id="curlew.E002",
            )
        ]
    return []


@register(TAG)
def check_daemon(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Whether curlewd responds, and is new enough."""
    if conf.configured_url() is None:
        if settings.DEBUG and conf.get("EMBEDDED") is not False:
            return []  # runserver starts its own
        return [
            Warning(
                'CURLEW["URL"] is not set.',
                f'Set CURLEW = {{"URL": …}}, or the environment variable {conf.ENV_VAR}.',
                id="curlew.W003",
            )
        ]
    try:
        current = daemon.current()
        response = current.exchange("GET", "/v1/status", idempotent=True, timeout=TIMEOUT)
    except daemon.AddressError:
        return []  # check_settings reports it
    except daemon.DaemonError as err:
        return [Warning(str(err), 'Start it, or correct CURLEW["URL"].', id="curlew.W004")]
    return _check_status(current.url, response)


def _check_status(url: str, response: daemon.Response) -> List[CheckMessage]:
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
                f"The server at {url} is not curlewd (HTTP {response.status}).",
                _status_hint(response.status),
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


def _status_hint(status: int) -> str:
    if status in (502, 503, 504):
        return (
            f"The web server answered {status}: curlewd is not running, or the web server may not"
            " open its socket."
        )
    return 'Check that the path of CURLEW["URL"] is the mount of curlewd in the web server.'


def _parse_status(body: bytes) -> Optional[Dict[str, Any]]:
    """The document of the status route; None if it is something else."""
    try:
        status = json.loads(body)
        return status if status["version"] and "engine" in status else None
    except (ValueError, LookupError, TypeError):
        return None


@register(Tags.security, TAG, deploy=True)
def check_exposure(app_configs: Any, **_: Any) -> List[CheckMessage]:
    """Whether outsiders can use the mount: by the site's public name, without a token."""
    return [
        Error(
            f"Everybody who reaches {site} can have curlewd fetch any URL: {url} responds.",
            "Restrict the mount to the Django host (examples/nginx/nginx.conf: allow, deny), or"
            " require tokens (auth.tokens_file of curlewd.json).",
            id="curlew.E007",
        )
        for site in sites()
        for url in [site.rstrip("/") + mount() + "/v1/status"]
        if not _is_loopback_site(site) and _has_curlewd(url)
    ]


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


def _has_curlewd(url: str) -> bool:
    # The certificate does not matter here, only whether curlewd responds: one that this machine
    # can't verify must not hide that.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=TIMEOUT) as response:
            return _parse_status(response.read(1 << 20)) is not None
    except HTTPError as err:
        err.close()
        return False
    except (OSError, ValueError):
        return False
