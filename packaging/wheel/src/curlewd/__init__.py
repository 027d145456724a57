"""The daemon of Curlew, as a program inside this package.

    curlewd --help              the command runs it
    python -m curlewd --help    so does this
    curlewd.path()              where the program itself is
    curlewd.environment()       the variables to run it with
"""

from __future__ import annotations

import os
from pathlib import Path

import certifi

__all__ = ["environment", "path"]


def path() -> str:
    """The program's absolute path."""
    return str(Path(__file__).resolve().parent / "bin" / "curlewd")


def environment() -> dict[str, str]:
    """os.environ for the program. It trusts the machine's CA bundle, and where there is none the
    file that SSL_CERT_FILE names: certifi's, unless that is set."""
    return {"SSL_CERT_FILE": certifi.where(), **os.environ}
