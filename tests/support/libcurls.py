"""Other libcurls than the system's, for the daemon."""

import os
from pathlib import Path

import curl_cffi._wrapper

CURL_CFFI = Path(curl_cffi._wrapper.__file__)  # a libcurl-impersonate, and a Python module


def impersonating_env():
    """For a daemon; a sanitizer's library need not be the first of all then."""
    return {"CURLEW_LIBCURL": str(CURL_CFFI),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
