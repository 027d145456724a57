"""The repository's own fixtures (tests/support/fixtures.py): origin, daemon, nginx, …"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "python" / "src")]

from tests.support.fixtures import (  # noqa: E402, F401
    certs, curlewd, daemon, directory, nginx, one_daemon, one_origin, origin,
    client, proxy, pytest_sessionstart, pytest_unconfigure, spawn,
)

import shutil  # noqa: E402

import pytest  # noqa: E402

from tests.support.procs import Process, temp_dir  # noqa: E402


@pytest.fixture(scope="module")
def module_spawn():
    """As spawn(name, argv, …), for processes that all tests of a module share."""
    started = []

    def start(name, argv, **kwargs):
        started.append(Process(name, argv, temp_dir(), **kwargs))
        return started[-1]

    yield start
    for process in started:
        process.stop()
        shutil.rmtree(process.out_path.parent, ignore_errors=True)
