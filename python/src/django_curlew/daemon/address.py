"""The address of the daemon, written as a URL.

    fcgi+unix:/run/curlew/curlew.sock             its FastCGI socket: the fastest
    fcgi://HOST:PORT                              the same over TCP
    http://HOST[:PORT]/_fetch                     by HTTP, through the web server that mounts it
    http+unix:/run/nginx.sock:/_fetch             the same over a UNIX socket of the web server's
    http+unix://%2Frun%2Fnginx.sock/_fetch        … in the notation of other clients

An IPv6 host stands in brackets. The path of an HTTP address is where the daemon is mounted; the
route (`/v1/fetch`) is appended to it. An `fcgi:` address may have a path, too, which becomes the
beginning of SCRIPT_NAME; curlewd does not need one.
"""

from __future__ import annotations

import os
from typing import NamedTuple, Tuple
from urllib.parse import unquote, urlsplit

from .errors import AddressError

FORMATS = "fcgi+unix:/PATH, fcgi://HOST:PORT, http://HOST[:PORT]/MOUNT or http+unix:/PATH:/MOUNT"


class Address(NamedTuple):
    """A parsed URL of the daemon's."""

    url: str  # as it was given; identifies the address in errors and in the connection pool
    protocol: str  # "fcgi" or "http"
    path: str  # of the UNIX socket; "" for TCP
    host: str  # "" for a UNIX socket
    port: int  # 0 for a UNIX socket
    mount: str  # "" or "/_fetch": no slash at the end

    @property
    def is_unix(self) -> bool:
        return bool(self.path)


def parse_address(url: str) -> Address:
    """Parse the URL of a daemon. Raises AddressError if it is not valid."""
    if not isinstance(url, str):
        raise AddressError(f"invalid URL of curlewd {url!r}: it must be a str, {FORMATS}")
    if any(c <= " " or c == "\x7f" for c in url):
        raise AddressError(
            f"invalid URL of curlewd {url!r}: it contains a space or control character"
        )
    scheme, colon, rest = url.partition(":")
    protocol, _, family = scheme.lower().partition("+")
    if not colon or protocol not in ("fcgi", "http") or family not in ("", "unix"):
        raise AddressError(f"invalid URL of curlewd {url!r}: {_hint(scheme)}")
    if family == "unix":
        path, mount = _unix_parts(url, rest)
        return Address(url=url, protocol=protocol, path=path, host="", port=0, mount=_mount(mount))
    return _tcp(url, protocol)


def _hint(scheme: str) -> str:
    if scheme.lower() == "https":
        return "https is not supported; use http:// on this machine, or the FastCGI socket"
    return f"it must be {FORMATS}"


def _unix_parts(url: str, rest: str) -> Tuple[str, str]:
    """The path of the socket and the mount, from either notation."""
    if rest.startswith("//") and not rest.startswith("///"):
        quoted, slash, mount = rest[2:].partition("/")
        path, mount = unquote(quoted), slash + mount
    else:
        path, _, mount = rest.replace("///", "/", 1).partition(":")
    if not path.startswith("/"):
        raise AddressError(f"invalid URL of curlewd {url!r}: the socket's path must begin with /")
    if len(os.fsencode(path)) > 107:  # sizeof sun_path, less its NUL: unix(7)
        raise AddressError(f"invalid URL of curlewd {url!r}: the socket's path is over 107 bytes")
    return path, mount


def _mount(path: str) -> str:
    if path and not path.startswith("/"):
        raise AddressError(f"invalid mount {path!r}: it must begin with /")
    if "?" in path or "#" in path:
        raise AddressError(f"invalid mount {path!r}: it must have no query and no fragment")
    return path.rstrip("/")


def _tcp(url: str, protocol: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as err:
        raise AddressError(f"invalid URL of curlewd {url!r}: {err}") from None
    if not host or parts.query or parts.fragment:
        raise AddressError(f"invalid URL of curlewd {url!r}: it must be {FORMATS}")
    if parts.username is not None:
        raise AddressError("a URL of curlewd must have no user or password; set TOKEN instead")
    if port == 0 or (port is None and protocol == "fcgi"):
        raise AddressError(f"invalid URL of curlewd {url!r}: the port is missing")
    return Address(
        url=url,
        protocol=protocol,
        path="",
        host=host,
        port=port or 80,
        mount=_mount(parts.path),
    )
