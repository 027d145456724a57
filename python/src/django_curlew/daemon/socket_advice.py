"""Why a UNIX socket can't be connected to, and what to do: from the socket's owner and mode."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from typing import Iterator, Optional

PACKAGED_SOCKET = "/run/curlew/curlew.sock"  # of the Debian package and of packaging/systemd
UNIT = "curlewd.socket"
UNIT_FOLDERS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def explain(path: str, err: BaseException, listener: str = "curlewd") -> str:
    """The reason for `err`, which connecting to `path` raised, and what to do about it; "" if
    nothing is known but its own text. `listener`: who should listen there."""
    if isinstance(err, PermissionError):
        return _explain_permission(path)
    if isinstance(err, (FileNotFoundError, NotADirectoryError)):
        return _explain_missing(path, listener)
    if isinstance(err, ConnectionRefusedError):
        return _explain_refusal(path, listener)
    if isinstance(err, OSError) and err.errno in (errno.EPROTOTYPE, errno.ENOTSOCK):
        return f"{path} is not a socket of streams: another program's?"
    return ""


# -- no access ------------------------------------------------------------------------------------


def _explain_permission(path: str) -> str:
    """Of the folders of the path, or of the socket, the first that this user may not use."""
    for folder in _folders(path):
        if not _may_access(folder, os.X_OK):
            return _explain_denial(folder, stat.S_IXGRP, stat.S_IXOTH, "the directory ")
    if _may_access(path, os.W_OK):
        return (
            f"permission denied, though the mode of {path} admits {user_name(os.geteuid())}:"
            " AppArmor, SELinux or the sandbox of a service may deny it"
        )
    return _explain_denial(path, stat.S_IWGRP, stat.S_IWOTH, "")


def _folders(path: str) -> Iterator[str]:
    """Those that lead to the path, from / on."""
    folder = "/"
    yield folder
    for name in os.path.dirname(os.path.abspath(path)).split("/"):
        if name:
            folder = os.path.join(folder, name)
            yield folder


def _may_access(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _explain_denial(path: str, group_bit: int, other_bit: int, kind: str) -> str:
    """Who may, who this process is, and how it may, too."""
    user = user_name(os.geteuid())
    try:
        found = os.stat(path)
    except OSError:
        return f"permission denied: {kind}{path} can't be looked at by the user {user}"
    owner, group = user_name(found.st_uid), group_name(found.st_gid)
    facts = (
        f"permission denied: {kind}{path} belongs to {owner}:{group} with mode"
        f" {stat.S_IMODE(found.st_mode):04o}, and this process runs as the user {user}"
    )
    return f"{facts}; {_advise(found, group_bit, user, group)}"


def _advise(found: os.stat_result, group_bit: int, user: str, group: str) -> str:
    if not found.st_mode & group_bit or found.st_gid == 0:  # nobody should be in root's group
        return (
            "give it a group that the user is in: SocketGroup= and SocketMode=0660 in"
            f" {UNIT}, or socket_group and socket_mode in curlewd.json"
        )
    if _is_member(user, found.st_gid):
        return (
            f"the user is in the group {group} already, but this process began before: log in"
            " again, or restart the service"
        )
    return (
        f"add the user {user} to the group {group}: `sudo usermod -aG {group} {user}`, then log in"
        " again or restart the service"
    )


def _is_member(user: str, gid: int) -> bool:
    try:
        return user in grp.getgrgid(gid).gr_mem
    except KeyError:
        return False


def user_name(uid: int) -> str:
    """The user's name, else the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The group's name, else the number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


# -- nobody there ---------------------------------------------------------------------------------


def _explain_missing(path: str, listener: str) -> str:
    missing = next((f for f in _folders(path) if not os.path.isdir(f)), None)
    what = f"the directory {missing}" if missing else f"the socket {path}"
    return f"{what} does not exist: {listener} is not running{_how_to_start(path, listener)}"


def _explain_refusal(path: str, listener: str) -> str:
    if not _is_socket(path):
        return f"{path} is not a socket: correct the address"
    return (
        f"{listener} is not running: nobody listens on {path} any"
        f" more{_how_to_start(path, listener)}"
    )


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return True  # gone meanwhile, or hidden


def _how_to_start(path: str, listener: str) -> str:
    if listener != "curlewd":
        return ""
    unit = _installed_unit() if path == PACKAGED_SOCKET else None
    if unit:
        return f"; start it: `sudo systemctl start {unit}`"
    folder = os.path.dirname(path)
    make_folder = "" if os.path.exists(folder) else f"mkdir -p {folder} && "
    return f"; start it: `{make_folder}curlewd --listen unix:{path}`, or correct the address"


def _installed_unit() -> Optional[str]:
    found = any(os.path.exists(os.path.join(folder, UNIT)) for folder in UNIT_FOLDERS)
    return UNIT if found else None
