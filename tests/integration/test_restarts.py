"""Twenty restarts under all that Django does: no fetch fails, and none is sent twice."""

import re

import pytest

from tests.support.curlewd import ROOT
from tests.support.restart_load import RestartLoad
from tests.support.supervisor import Supervisor

RESTARTS = 20


@pytest.fixture
def systemd():
    one = Supervisor()
    yield one
    one.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["socket", "nginx"])
def test_no_fetch_fails_and_none_is_sent_twice(systemd, nginx, way):
    """nginx repeats no POST: what it sends while the daemon asks it to leave is served."""
    url = (f"fcgi+unix:{systemd.path}" if way == "socket" else
           f"{nginx(systemd).url}/_fetch")
    with RestartLoad(url) as load:
        for _ in range(RESTARTS):
            load.more(40)
            systemd.restart()
        load.more(40)
    load.check()


def test_no_example_lets_nginx_send_a_post_twice():
    """After a crash of curlewd nginx would send what was in flight again, to the origin as well."""
    files = [f for place in ("examples", "docker", "packaging") for f in (ROOT / place).rglob("*")
             if f.is_file() and f.suffix not in (".png", ".webp")]
    used = [str(f) for f in files
            if re.search(r"^[^#\n]*\bnon_idempotent\b", f.read_text(errors="replace"), re.M)]
    assert len(files) > 20 and used == []
