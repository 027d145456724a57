"""curl_cffi.fingerprints' names. Importing one raises ImportError, which says what to use."""

from __future__ import annotations

from typing import Any

from .unsupported_names import raise_for_name


def __getattr__(name: str) -> Any:
    return raise_for_name(__name__, name)
