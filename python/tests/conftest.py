"""The repository's own fixtures (tests/integration/conftest.py): origin, daemon, nginx, …"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "python" / "src")]

from tests.integration.conftest import (  # noqa: E402, F401
    certs, curlewd, daemon, directory, nginx, one_daemon, one_origin, origin,
    pytest_sessionstart, pytest_unconfigure, spawn, way,
)
