"""curl_cffi.curl's names, as far as they need no curl handle in this process."""

from __future__ import annotations

from typing import Any

from .requests.exceptions import CurlError
from .requests.request_body import CurlMime
from .unsupported_names import raise_for_name

__all__ = ["CurlError", "CurlMime"]


def __getattr__(name: str) -> Any:
    return raise_for_name(__name__, name)
