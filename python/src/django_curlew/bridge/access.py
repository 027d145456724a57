"""Which requests are for the mount, and who may use it.

A request is for the mount if its path is, decoded and normalized: `//_fetch`, `/%5ffetch` and
`/x/../_fetch` are `/_fetch`, as they are for many web servers. So no spelling leads past the
secret.
"""

from __future__ import annotations

import hmac
import re
from typing import List, Optional
from urllib.parse import quote

from .scope import Scope, is_below

MIN_SECRET_CHARACTERS = 16  # as curlewd asks of its tokens

_MOUNT = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_SECRET = re.compile(r"[!-~]+")  # what a header's value may hold, without a space
_HOST = re.compile(rb"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def check_arguments(mount: Optional[str], secret: Optional[str], open: bool) -> Optional[str]:
    """The mount's path, without a slash at its end. Raises ValueError if the arguments of
    CurlewBridge leave open who may use the mount."""
    if mount is None:
        if secret is not None or open:
            raise ValueError('secret and open are about a mount: set mount="/_fetch" too')
        return None
    path = mount.rstrip("/")
    if not _MOUNT.fullmatch(path) or normalize(path) != path:
        raise ValueError(f"mount must be a path such as /_fetch, or None; not {mount!r}")
    if open and secret is not None:
        raise ValueError("set secret or open=True for the mount, not both")
    if not open:
        _check_secret(secret)
    return path


def _check_secret(secret: Optional[str]) -> None:
    if secret is None:
        raise ValueError(
            "a mount needs secret=…, which its callers send as `Authorization: Bearer …`: who"
            " reaches it can have any URL fetched, with every session's credentials. open=True is"
            " for a curlewd that requires tokens itself (auth.tokens_file)"
        )
    if len(secret) < MIN_SECRET_CHARACTERS or not _SECRET.fullmatch(secret):
        raise ValueError(
            f"secret must have at least {MIN_SECRET_CHARACTERS} characters, all of them visible"
            " ASCII: make one with `openssl rand -hex 32`"
        )


def normalize(path: str) -> str:
    """A decoded path without empty, "." and ".." segments (RFC 3986 5.2.4). A slash at the end
    stays."""
    segments: List[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    is_folder = path.endswith(("/", "/.", "/..")) and segments
    return "/" + "/".join(segments) + ("/" if is_folder else "")


def path_of(scope: Scope) -> str:
    """The path below the server's root path, normalized. Some servers leave the root path in
    "path", others do not."""
    path = normalize(scope["path"])
    root = normalize(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] or "/" if root and is_below(root, path) else path


def has_secret(scope: Scope, secret: str) -> bool:
    """Does the request have this bearer token, and no second Authorization header? The comparison
    takes the same time wherever they differ."""
    values = header_values(scope, b"authorization")
    if len(values) != 1:
        return False
    scheme, _, given = values[0].partition(b" ")
    is_equal = hmac.compare_digest(given.strip(b" "), secret.encode())
    return is_equal and scheme.lower() == b"bearer"


def has_valid_host(scope: Scope) -> bool:
    """Is there at most one Host, a name or an address with or without a port (RFC 9112 3.2)?"""
    values = header_values(scope, b"host")
    return len(values) < 2 and all(_HOST.fullmatch(value) for value in values)


def is_written_plainly(scope: Scope, mount: str) -> bool:
    """Does the path as it was sent begin with the mount, not encoded, without another spelling? A
    web server before the bridge that guards an open mount compares no more than that.

    daphne takes the root path from a header, so with that header no path is plain."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    root = scope.get("root_path", "").rstrip("/")
    plain = (mount.encode(), (quote(root) + mount).encode())
    return not header_values(scope, b"daphne-root-path") and any(
        path == each or path.startswith(each + b"/") for each in plain
    )


def header_values(scope: Scope, name: bytes) -> List[bytes]:
    """The values of all headers of that name, which is in lower case."""
    return [value for each, value in scope["headers"] if each.lower() == name]
