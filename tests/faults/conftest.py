"""What every test of a fault may ask for: the fixtures of tests/support/fixtures.py."""

from tests.support.fixtures import (  # noqa: F401
    certs, client, curlewd, daemon, directory, nginx, one_daemon, one_origin, origin, proxy,
    pytest_report_header, pytest_sessionstart, pytest_unconfigure, spawn,
)
