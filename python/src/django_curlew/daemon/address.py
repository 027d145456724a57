"""Where the daemon is, as one URL says it.

    fcgi+unix:/run/curlew/curlew.sock             its FastCGI socket: the fastest way
    fcgi://HOST:PORT                              the same over TCP
    http://HOST[:PORT]/_fetch                     by HTTP, through the web server that mounts it
    http+unix:/run/nginx.sock:/_fetch             the same where that listens on a UNIX socket
    http+unix://%2Frun%2Fnginx.sock/_fetch        … in the spelling of other clients

An IPv6 host stands in brackets. The path of an HTTP address is where the daemon is mounted; what
is asked for (`/v1/fetch`) is appended to it. The same path is taken behind `fcgi:` addresses, as
SCRIPT_NAME's beginning, though curlewd does not need one.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Tuple
from urllib.parse import unquote, urlsplit

from .errors import AddressError

SPELLINGS = (
    "fcgi+unix:/PATH, fcgi://HOST:PORT, http://HOST[:PORT]/MOUNT or http+unix:/PATH:/MOUNT"
)


class Address(NamedTuple):
    """A parsed URL. `path` is that of a UNIX socket, "" for TCP."""

    url: str  # as it was given; names the address in errors and in the pool
    protocol: str  # "fcgi" or "http"
    path: str
    host: str
    port: int
    mount: str  # "" or "/_fetch": no slash at the end

    @property
    def is_unix(self) -> bool:
        return bool(self.path)


def parse(url: str) -> Address:
    """The address that `url` names; AddressError where it names none."""
    if not isinstance(url, str):
        raise AddressError(f"{url!r} is no address of curlewd: a text such as {SPELLINGS}")
    if any(c <= " " or c == "\x7f" for c in url):
        raise AddressError(f"{url!r} is no address of curlewd: it has a blank or a control in it")
    scheme, colon, rest = url.partition(":")
    protocol, _, family = scheme.lower().partition("+")
    if not colon or protocol not in ("fcgi", "http") or family not in ("", "unix"):
        raise AddressError(f"{url!r} is no address of curlewd: {_hint(scheme)}")
    if family == "unix":
        path, mount = _unix_parts(url, rest)
        return Address(url, protocol, path, "", 0, _mount(mount))
    return _tcp(url, protocol)


def _hint(scheme: str) -> str:
    if scheme.lower() == "https":
        return "https is not spoken here; use http:// on this machine, or its FastCGI socket"
    return f"one is {SPELLINGS}"


def _unix_parts(url: str, rest: str) -> Tuple[str, str]:
    """Path of the socket and mount, in either spelling."""
    if rest.startswith("//") and not rest.startswith("///"):
        quoted, slash, mount = rest[2:].partition("/")
        path, mount = unquote(quoted), slash + mount
    else:
        path, _, mount = rest.replace("///", "/", 1).partition(":")
    if not path.startswith("/"):
        raise AddressError(f"{url!r}: the path of a UNIX socket must begin with a slash")
    if len(os.fsencode(path)) > 107:  # sizeof sun_path, less its NUL: unix(7)
        raise AddressError(f"{url!r}: the path of a UNIX socket has at most 107 bytes")
    return path, mount


def _mount(path: str) -> str:
    if path and not path.startswith("/"):
        raise AddressError(f"{path!r}: a mount begins with a slash")
    if "?" in path or "#" in path:
        raise AddressError(f"{path!r}: a mount has no query and no fragment")
    return path.rstrip("/")


def _tcp(url: str, protocol: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as why:
        raise AddressError(f"{url!r} is no address of curlewd: {why}") from None
    if not host or parts.query or parts.fragment:
        raise AddressError(f"{url!r} is no address of curlewd: one is {SPELLINGS}")
    if parts.username is not None:
        raise AddressError("An address of curlewd has no user or password; set a token instead")
    if port == 0 or (port is None and protocol == "fcgi"):
        raise AddressError(f"{url!r}: a port is missing")
    return Address(url, protocol, "", host, port or 80, _mount(parts.path))
