"""`import curl_cffi` gives django_curlew: each module of that name, the same object.

What needs a curl handle in this process is replaced by a class that can't be used, so that the
modules of tests can be imported; the tests that use it are in deselected.txt.
"""

import importlib
import importlib.abc
import importlib.util
import sys
import types

THEIRS, OURS = "curl_cffi", "django_curlew"
# What the modules of tests import, and only tests of curl handles use.
INSIDE = {
    "": ("Curl", "AsyncCurl", "CurlShare"),
    ".curl": ("lib",),
    ".requests.cookies": ("CurlMorsel",),
    ".requests.streams": ("_IterableReader",),
    ".requests.utils": ("update_header_line",),
}


class NotInThisProcess:
    def __init__(self, *_, **__):
        raise NotImplementedError("curl handles are in the daemon")


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `curl_cffi.x` as `django_curlew.x`."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != THEIRS:
            return None
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        return importlib.import_module(OURS + spec.name[len(THEIRS):])

    def exec_module(self, module):
        """It is loaded already."""


def pytest_configure(config):
    for name in ("", ".requests", *INSIDE):
        try:
            module = importlib.import_module(OURS + name)
        except ModuleNotFoundError:
            module = types.ModuleType(OURS + name)
        sys.modules[THEIRS + name] = module
        for inside in INSIDE.get(name, ()):
            setattr(module, inside, NotInThisProcess)
    sys.meta_path.insert(0, Alias())
