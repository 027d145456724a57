"""What tests in every folder may ask for.

compose   with --compose: the stack of docker/compose.yml, running
"""

import pytest

from tests.support.compose import Compose


def pytest_addoption(parser):
    parser.addoption("--compose", action="store_true",
                     help="conformance tests against docker/compose.yml; build its images first")


@pytest.fixture(scope="session")
def compose():
    stack = Compose()
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
