"""The version stands in two places: of the daemon, and of the Python package."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_daemon_and_the_package_have_the_same_version():
    header = (ROOT / "include/curlew/curlew.h").read_text()
    package = (ROOT / "python/src/django_curlew/__init__.py").read_text()
    daemon, = re.findall(r'CURLEW_VERSION "(.+)"', header)
    assert re.findall(r'^__version__ = "(.+)"$', package, re.M) == [daemon]
