"""A graceful restart without a failed fetch: systemd keeps the listening socket open.

The test plays systemd: it holds the socket, passes it to one curlewd after the other, and starts
the next when the last has exited, under constant load.
"""

import signal
import time

import pytest

from tests.support import clients
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.load import CountingOrigin, Load
from tests.support.procs import wait_until
from tests.support.supervisor import PASSED_ON, Supervisor

THREADS = 8
RESTARTS = 5

@pytest.fixture(params=PASSED_ON)
def systemd(request):
    one = Supervisor(request.param)
    yield one
    one.stop()


def restart_under(load, systemd, times):
    for _ in range(times):
        load.more(5 * THREADS)
        systemd.restart()
    load.more(5 * THREADS)


def test_connections_wait_in_the_socket_for_the_next_daemon(systemd):
    client = clients.FastCgiClient(systemd.path)
    with CountingOrigin() as origin, Load(lambda: client.post, origin, THREADS) as load:
        restart_under(load, systemd, RESTARTS)
    load.check()


@pytest.mark.parametrize("name", ["nginx", "nginx-no-keep-alive"])
def test_no_fetch_fails_through_nginx(systemd, nginx, name):
    client = nginx(systemd, name=name)
    with CountingOrigin() as origin, Load(lambda: client.post, origin, THREADS) as load:
        restart_under(load, systemd, 2 * RESTARTS)
    load.check()


def test_a_slow_fetch_finishes_and_later_ones_wait(systemd, origin):
    client = clients.FastCgiClient(systemd.path)
    with BackgroundCalls() as b:
        b.start(client.fetch, origin.url("/delay/1.5"))
        origin.wait_for("arrived", "/delay/1.5")
        systemd.daemon.process.send(signal.SIGTERM)
        wait_until("the drain", systemd.is_draining)
        time.sleep(0.2)  # by now it accepts no more, and closes its copy of the socket
        b.start(timed, client.fetch, origin.url("/hello"))
        systemd.restart()
        slow, (waited, seconds) = b.results()
    assert (slow["body"], waited["body"]) == ("late\n", "hello\n")
    assert seconds > 0.5 and waited["connection"]["reused"] is False  # it is the next daemon's
