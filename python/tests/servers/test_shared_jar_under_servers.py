"""A module's session that keeps cookies is reported under every server, and no other is."""

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from servers import ASGI, WSGI, Server, ask  # noqa: E402

from tests.support.procs import wait_until  # noqa: E402

NAMES = [name for name in (*ASGI, *WSGI) if not name.endswith("-h2")]
LOGGED = re.compile(r"project\.py:\d+: This session keeps cookies")  # Twisted hides warnings
REQUESTS = 12  # over two worker processes, each with a session of its own


@pytest.fixture(params=NAMES)
def server(request, daemon, one_origin, spawn):
    return Server(request.param, spawn, f"fcgi+unix:{daemon.socket}", one_origin.url("/hello"),
                  PYTHONWARNINGS="default")


def test_it_is_reported_and_a_session_of_a_request_is_not(server, origin):
    log_in, check = origin.url("/cookies/set?sid=A"), origin.url("/cookies")
    for kind in ("", "-async"):
        for _ in range(REQUESTS):
            assert ask(server, f"own{kind}", log_in, check, check)["text"][-1] == '{"sid": "A"}'
    assert not LOGGED.search(server.process.err), server.process.err
    for kind in ("", "-async"):
        for _ in range(REQUESTS):
            ask(server, f"get{kind}", log_in)
    wait_until("both views are reported", lambda: len(set(LOGGED.findall(server.process.err))) == 2)
    processes = 2 if server.name in WSGI else 1
    assert len(LOGGED.findall(server.process.err)) <= 2 * processes, "once for each line of code"
