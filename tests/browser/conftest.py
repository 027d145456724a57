"""What every browser test may ask for: the fixtures of tests/support/fixtures.py, and

open_page   a page of headless Chromium; what it logs as an error fails the test
"""
# ruff: noqa: F811
# The fixtures have the names of their functions.

import pytest

from tests.browser.chromium import Chromium
from tests.support.fixtures import (  # noqa: F401
    certs, curlewd, directory, nginx, one_origin, origin, pytest_report_header,
    pytest_sessionstart, pytest_unconfigure,
)


@pytest.fixture(scope="session")
def chromium():
    with Chromium() as browser:
        yield browser


@pytest.fixture
def open_page(chromium):
    """open_page(url, dark=, width=, height=, storage=) → a Page, closed at the end."""
    opened = []

    def start(url, **options):
        opened.append(chromium.open(url, **options))
        return opened[-1]

    yield start
    for page in opened:
        page.context.close()
    for page in opened:
        assert page.faults == [], page.faults
