"""A graceful restart without a failed fetch: systemd keeps the listening socket open.

The test plays systemd: it holds the socket, passes it to one curlewd after the other, and starts
the next when the last has exited, under constant load. A request on a connection from before the
drain may get 503 (draining, Retry-After); the client sends it again, as told.
"""

import contextlib
import http.client
import signal
import socket
import threading
import time

import pytest

from tests.support import fcgi, clients
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.curlewd import BINARY, LOOPBACK, clean_env
from tests.support.procs import temp_dir, wait_until

ASKING = 8  # at once
RESTARTS = 3
PASSED_ON = {  # how the socket reaches the daemon, as descriptor 3: what is exported, its options
    "LISTEN_FDS": ("export LISTEN_FDS=1 LISTEN_PID=$$; ", []),
    "fd:3": ("", ["--listen", "fd:3"]),
}


class Systemd:
    """What it does for curlewd.socket and curlewd.service."""

    def __init__(self, spawn, how):
        self.path = self.socket = temp_dir() / "curlew.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen(4096)
        self.spawn = spawn
        self.how = how
        self.start()

    def start(self):
        exports, args = PASSED_ON[self.how]
        script = f'exec 3<&{self.listener.fileno()}; {exports}exec "$0" "$@"'
        env = clean_env({"CURLEW_EGRESS_ALLOW": ",".join(LOOPBACK["allow"])})
        self.daemon = self.spawn("curlewd", ["bash", "-c", script, BINARY, *args], env=env,
                                 pass_fds=[self.listener.fileno()])

    def restart(self):
        """Ends what runs, if it has not been told already, then starts the next."""
        if "draining" not in self.daemon.err:
            self.daemon.send(signal.SIGTERM)
        assert self.daemon.wait() == 0, self.daemon.err
        self.start()


@pytest.fixture(params=PASSED_ON)
def systemd(request, spawn):
    one = Systemd(spawn, request.param)
    yield one
    one.listener.close()


def is_declined(response):
    return (response.status == 503 and response.header("retry-after") is not None
            and response.json()["code"] == "draining")


class Load:
    """Fetches without a pause from several threads; their responses."""

    def __init__(self, make_client, url):
        self.make_client, self.url = make_client, url
        self.responses = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(i,)) for i in range(ASKING)]

    def ask(self, number):
        client = self.make_client()
        while not self.stop.is_set():
            try:
                response = client.post({"url": self.url, "tag": str(number)})
                if not is_declined(response):
                    self.responses.append(response.json() if response.status == 200 else response)
            except (OSError, fcgi.IncompleteResponse, http.client.HTTPException) as error:
                self.responses.append(error)
        client.close()

    def more(self, count):
        seen = len(self.responses)
        wait_until(f"{count} more responses", lambda: len(self.responses) >= seen + count, 20)

    def failed(self):
        return [a for a in self.responses if not (isinstance(a, dict) and a["body"] == "late\n")]


@contextlib.contextmanager
def load(make_client, url):
    one = Load(make_client, url)
    for thread in one.threads:
        thread.start()
    yield one
    one.stop.set()
    for thread in one.threads:
        thread.join(20)


def restart_under(one, systemd):
    for _ in range(RESTARTS):
        one.more(5 * ASKING)
        systemd.restart()
    one.more(5 * ASKING)


def test_connections_wait_in_the_socket_for_the_next_daemon(systemd, origin):
    with load(lambda: clients.FastCgiClient(systemd.path), origin.url("/delay/0.05")) as one:
        restart_under(one, systemd)
    assert one.failed() == [] and len(one.responses) > 20 * ASKING


def test_no_fetch_fails_through_nginx_without_keep_alive(systemd, nginx, origin):
    client = nginx(systemd, name="nginx-no-keep-alive")
    with load(lambda: clients.HttpClient(client.port), origin.url("/delay/0.05")) as one:
        restart_under(one, systemd)
    assert one.failed() == [] and len(one.responses) > 20 * ASKING


# docs/deploy.md, "Upgrading": nginx asks again by itself, on another connection.
ASKED_AGAIN = [
    ("curlew.sock;", "curlew.sock max_fails=0;\n        server unix:{socket} max_fails=0;"),
    ("fastcgi_keep_conn on;",
     "fastcgi_keep_conn on;\n            fastcgi_next_upstream error http_503 non_idempotent;"),
]


def test_no_fetch_fails_through_nginx_that_retries(systemd, nginx, origin):
    client = nginx(systemd, more=ASKED_AGAIN)
    with load(lambda: clients.HttpClient(client.port), origin.url("/delay/0.05")) as one:
        restart_under(one, systemd)
    assert one.failed() == [] and len(one.responses) > 20 * ASKING


def test_a_slow_fetch_finishes_and_later_ones_wait(systemd, origin):
    client = clients.FastCgiClient(systemd.path)
    with BackgroundCalls() as b:
        b.start(client.fetch, origin.url("/delay/1.5"))
        origin.wait_for("arrived", "/delay/1.5")
        systemd.daemon.send(signal.SIGTERM)
        wait_until("the drain", lambda: "draining" in systemd.daemon.err)
        time.sleep(0.2)  # by now it accepts no more, and closes its copy of the socket
        b.start(timed, client.fetch, origin.url("/hello"))
        systemd.restart()
        slow, (waited, seconds) = b.results()
    assert (slow["body"], waited["body"]) == ("late\n", "hello\n")
    assert seconds > 0.5 and waited["connection"]["reused"] is False  # it is the next daemon's
