"""FastCGI records in sequences that a seed makes: the daemon stays well, and so do other peers.

CURLEW_FUZZ_SEED, an integer, chooses other sequences; a failure names the seed of its connection.
"""

import concurrent.futures
import os
import threading
from pathlib import Path

import pytest

from tests.support.curlewd import SANITIZED
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until
from tests.support.random_records import RandomPeer

SEED = int(os.environ.get("CURLEW_FUZZ_SEED", "1"))
CONNECTIONS = 800
AT_ONCE = 6
GROWTH_KIB = 8 * 1024


class Neighbour:
    """A peer that fetches one page after the other meanwhile; `stop` tells how many it got."""

    def __init__(self, client, url):
        self.client, self.url = client, url
        self.count, self.wrong = 0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            try:
                body = self.client.fetch(f"{self.url}&n={self.count}", timeout=10)["body"]
                if f"n={self.count}" not in body:
                    self.wrong.append(body)
            except Exception as err:  # noqa: BLE001
                self.wrong.append(repr(err))
            self.count += 1

    def stop(self):
        self.over.set()
        self.thread.join(30)
        return self.count


def descriptors(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


def play_all(daemon, urls, first):
    """CONNECTIONS of them; the seeds of those that the daemon has not closed."""
    def one(seed):
        return None if RandomPeer(seed, urls).play(daemon.socket) else seed

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return [s for s in pool.map(one, range(first, first + CONNECTIONS)) if s is not None]


@pytest.fixture
def busy(curlewd, origin):
    """A daemon and the URLs that random peers ask it for. Bytes of them get damaged: they have no
    numbers that the origin reads, and no other server's port can be reached."""
    daemon = curlewd({"log": {"access": False}, "egress": {"ports": [origin.ports["http"]]}})
    urls = [origin.url(path) for path in ("/hello", "/gzip", "/silent", "/ranges", "/trailers",
                                          "/until-close", "/cookies/set?a=b", "/close")]
    return daemon, [*urls, "http://10.1.2.3/", "nonsense"]


def test_no_sequence_of_records_harms_the_daemon_or_a_neighbour(busy, origin):
    daemon, urls = busy
    neighbour = Neighbour(daemon.client, origin.url("/echo?who=neighbour"))
    first = SEED * 1_000_000
    left_open = play_all(daemon, urls, first)
    settle(daemon)
    before, descriptors_before = daemon.rss_kib(), descriptors(daemon)
    left_open += play_all(daemon, urls, first + CONNECTIONS)
    count = neighbour.stop()
    settle(daemon)
    assert left_open == [], f"not closed within 10 s: the connections of these seeds, {left_open}"
    assert neighbour.wrong == [] and count > 50
    assert daemon.client.get("/healthz").json() == {"status": "ok"}
    assert descriptors(daemon) <= descriptors_before + 8, "descriptors are left open"
    assert SANITIZED or daemon.rss_kib() - before < GROWTH_KIB
    assert daemon.process.running()


def settle(daemon):
    """Until every fetch of the random peers has ended, also those whose peers have left."""
    def is_idle():
        now = read_metrics(daemon)
        return now["curlew_in_flight"] == now["curlew_queued"] == 0

    wait_until("all fetches to end", is_idle, 20)
