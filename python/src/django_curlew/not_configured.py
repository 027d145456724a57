"""NotConfigured: the settings do not say which daemon to use."""

from __future__ import annotations

from typing import Any

from .daemon.errors import DaemonError
from .requests import exceptions


class NotConfigured(exceptions.DaemonError, DaemonError, RuntimeError):  # type: ignore[misc]
    """A setting that is needed is not set, or can't be used; the message names it.

    It is a RequestException, so that `except RequestException` catches it, and a DaemonError of
    the client below, so that each adapter raises its own ConnectionError. Nothing was sent."""

    def __init__(self, msg: str, code: int = 0, response: Any = None) -> None:
        super().__init__(msg, code, response)
        self.problem = {"code": "unreachable", "detail": msg}
