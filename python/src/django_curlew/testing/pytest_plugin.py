"""pytest's plugin, which pytest finds by itself: the fixture `curlew_stub`, and tests that must not
fetch without a stub.

    [tool.pytest.ini_options]
    curlew_forbid_unstubbed = true      # for all tests

    @pytest.mark.curlew_forbid_unstubbed            # for one test, class or module
    @pytest.mark.curlew_allow_unstubbed             # not for this one

    def test_a_price(client, curlew_stub):          # the stub of override_curlew()
        curlew_stub.on("https://api.example/price/*", json={"price": 7})

A test that fetches without a stub fails, also if the code that it tests catches the exception.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Optional

import pytest

from ..daemon import unstubbed
from .override import override_curlew

NAME = "curlew_forbid_unstubbed"
ALLOW = "curlew_allow_unstubbed"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(NAME, "tests may fetch from stubs only", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{NAME}: this test may fetch from stubs only")
    config.addinivalue_line("markers", f"{ALLOW}: this test may fetch from a real daemon")
    if config.getini(NAME):  # also for what runs outside of tests
        stack = contextlib.ExitStack()
        stack.enter_context(unstubbed.forbid(True))
        config.add_cleanup(stack.close)


@pytest.fixture(autouse=True)
def _curlew_unstubbed(request: pytest.FixtureRequest) -> Iterator[None]:
    unstubbed.take_refusals()
    with unstubbed.forbid(_wish(request)):
        yield
    refusals = unstubbed.take_refusals()
    if refusals:
        pytest.fail(f"without a stub, {'; '.join(refusals)}", pytrace=False)


def _wish(request: pytest.FixtureRequest) -> Optional[bool]:
    """The marker that is nearest to the test decides, then the ini file, then the setting."""
    for mark in request.node.iter_markers():
        if mark.name in (NAME, ALLOW):
            return bool(mark.name == NAME)
    return True if request.config.getini(NAME) else None


@pytest.fixture
def curlew_stub() -> Iterator[Any]:
    """A Stub in place of the daemon."""
    with override_curlew() as stub:
        yield stub
