"""Fetches without a pause from several threads, each of a URL of its own, and what became of them.

    with CountingOrigin() as origin, Load(lambda: client.post, origin) as load:
        load.more(100)      # at least so many further ones
    load.check()            # all whole, and none sent twice
"""

import collections
import time

from .concurrency import Threads
from .procs import wait_until
from .scripted_origin import ScriptedOrigin, answer


class CountingOrigin(ScriptedOrigin):
    """Answers each target with itself after `delay` seconds."""

    def __init__(self, delay=0.01, host="127.0.0.1"):
        def script(request, connection):
            time.sleep(delay)
            connection.send(answer(request.target))

        super().__init__(script, host=host)

    def sent_twice(self):
        return [t for t, n in collections.Counter(r.target for r in self.requests).items() if n > 1]


class Load(Threads):
    """`make_post()` gives each thread its function: a request object → a Response."""

    def __init__(self, make_post, origin, threads=8, **keys):
        self.make_post, self.origin, self.keys = make_post, origin, {"method": "POST", **keys}
        self.failed = []
        super().__init__(threads)

    def run(self, number):
        post = self.make_post()
        count = 0
        while not self.stopping.is_set():
            count += 1
            target = f"/{number}/{count}"
            outcome = self._fetch(post, target)
            with self.lock:
                self.done += 1
                if outcome is not None:
                    self.failed.append((time.strftime("%H:%M:%S"), target, outcome))

    def _fetch(self, post, target):
        """None where all is well."""
        try:
            response = post({"url": self.origin.url(target), **self.keys})
            if response.status == 200 and response.json()["body"] == target:
                return None
            return response
        except Exception as error:
            return error

    def more(self, count, timeout=30):
        wanted = self.done + count
        wait_until(f"{count} more fetches", lambda: self.done >= wanted, timeout)

    def check(self):
        assert not any(thread.is_alive() for thread in self.threads)
        assert self.failed == [] and self.done > 0
        assert self.origin.sent_twice() == []
