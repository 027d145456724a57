"""curl_cffi.utils' names: its warning, and the types of `http_version`."""

from __future__ import annotations

import warnings
from typing import Literal

HttpVersionLiteral = Literal["v1", "v2", "v2tls", "v2_prior_knowledge", "v3", "v3only"]


class CurlCffiWarning(UserWarning, RuntimeWarning):
    """The category of the few warnings of this package."""


def config_warnings(on: bool = False) -> None:
    """Show warnings of the category CurlCffiWarning, or ignore them."""
    warnings.simplefilter("default" if on else "ignore", category=CurlCffiWarning)
