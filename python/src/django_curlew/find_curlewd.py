"""Where the program curlewd is, for development."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from typing import Any, Dict, Iterator

NAME = "curlewd"
# Of the Debian package and of `make install`; a user's PATH often has no sbin.
FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin")


class NotFound(RuntimeError):
    """There is no such program; the message says what to install."""


def find(program: str = NAME) -> str:
    """The path of `program`, which is a name or a path. Raises NotFound."""
    for path in _candidates(program):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if os.sep in program:
        raise NotFound(f'there is no program {program}: correct CURLEW["CURLEWD"]')
    raise NotFound(
        f"{program} was found neither on PATH nor in {', '.join(FOLDERS)}: install Curlew"
        ' (`pip install "django-curlew[daemon]"`, the Debian package curlew, or `make install`), or'
        ' set CURLEW["CURLEWD"] to its path, or CURLEW["URL"] to the address of one that runs'
    )


def environment(program: str) -> Dict[str, str]:
    """The variables for `program`, which find() has returned: ours, and what the Python package
    adds for the program inside it, if it is that one."""
    if program == _of_package("path"):
        return dict(_of_package("environment") or os.environ)
    return dict(os.environ)


def _candidates(program: str) -> Iterator[str]:
    if os.sep in program:
        yield os.path.abspath(os.path.expanduser(program))
        return
    on_path = shutil.which(program)
    if on_path:
        yield on_path
    # A virtual environment's own, also if it was not activated.
    yield os.path.join(os.path.dirname(sys.executable), program)
    packaged = _of_package("path") if program == NAME else None
    if isinstance(packaged, str):
        yield packaged
    for folder in FOLDERS:
        yield os.path.join(folder, program)


def _of_package(function: str) -> Any:
    """What this function of the Python package curlewd returns, which contains the program."""
    try:
        return getattr(importlib.import_module(NAME), function)()
    except Exception:  # noqa: BLE001  (not installed, or another module of this name)
        return None
