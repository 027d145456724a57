"""Fetches as of a busy site: several sessions and origins, a few of which fail.

The daemon must have been started with config(origin).
"""

import random

from tests.support.clients import FastCgiClient
from tests.support.concurrency import Threads

HOSTS = ["api.example.com", "feeds.example.org", "search.example.net", "images.example.com",
         "pay.example.org", "weather.example.net"]
# (share, session, host, path); {wait} is seconds, mostly short
MIX = [(30, "default", HOSTS[0], "/bytes/800"), (18, "default", HOSTS[1], "/delay/{wait}"),
       (14, "crawler", HOSTS[2], "/delay/{wait}"), (12, "crawler", HOSTS[3], "/bytes/60000"),
       (8, "webhooks", HOSTS[4], "/status/404"), (2, "webhooks", HOSTS[5], "/status/503"),
       (1, "default", HOSTS[1], "/hang-up"), (0.3, "webhooks", None, "/")]


def config(origin):
    here = {f"{host}:{origin.ports['http']}": ["127.0.0.1"] for host in HOSTS}
    breaker = {"failures": 5, "open_seconds": 20}
    return {"sessions": {
        "default": {"resolve": here, "breaker": breaker},
        "crawler": {"resolve": here, "cookie_jar": "shared", "rate_per_origin": 40, "burst": 10},
        "webhooks": {"resolve": here, "breaker": breaker}}}


class Traffic(Threads):
    """Fetches until the end of the block; `done` counts."""

    def __init__(self, daemon, origin, threads=6, pause=0.05):
        self.daemon, self.origin, self.pause = daemon, origin, pause
        super().__init__(threads)

    def run(self, number):
        client, rng = FastCgiClient(self.daemon.socket, keep=True), random.Random(number)
        while not self.stopping.is_set():
            _, session, host, path = rng.choices(MIX, [each[0] for each in MIX])[0]
            path = path.format(wait=round(rng.gammavariate(2, 0.02), 3))
            url = self.origin.url(path, host=host) if host else "http://169.254.169.254/latest"
            client.post({"url": url, "session": session, "timeout": 5})
            with self.lock:
                self.done += 1
            self.stopping.wait(rng.expovariate(1 / self.pause))
        client.close()
