"""The origin as the tests see it: its URLs, and what it has counted."""

import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.support.procs import Process, free_port, wait_until

ROOT = Path(__file__).parents[3]


class Origin:
    """One that runs, at `address`; `host` is its name in URLs."""

    def __init__(self, address, ports, host=None):
        self.address = address
        self.host = host or address
        self.ports = ports

    def url(self, path="/", host=None, port="http"):
        """`port` is a listener's name: http, https, h2, h2c, mtls, elsewhere, never, closed."""
        scheme = "http" if port in ("http", "h2c", "never", "closed") else "https"
        return f"{scheme}://{host or self.host}:{self.ports[port]}{path}"

    def flaky(self, host="127.0.0.1", port="http", **args):
        """The URL of a page whose first tries fail; see flaky.py for its arguments."""
        return self.url("/flaky?" + urlencode({"key": "", **args}), host, port)

    def tries(self, key=""):
        """When the tries for a flaky page arrived, on time.monotonic()."""
        return [e["at"] for e in self.events()
                if e["event"] == "arrived" and f"/flaky?key={key}&" in e["target"] + "&"]

    def _ask(self, method, target):
        c = http.client.HTTPConnection(self.address, self.ports["http"], timeout=10)
        try:
            c.request(method, target)
            return json.loads(c.getresponse().read())
        finally:
            c.close()

    def stats(self):
        return self._ask("GET", "/_stats")

    def reset(self):
        self._ask("POST", "/_reset")

    def events(self, target=None):
        return self._ask("GET", "/_events" + (f"?target={quote(target)}" if target else ""))

    def sent(self, target):
        """Bytes of a /pour that have left."""
        return self._ask("GET", f"/_sent?target={quote(target, safe='')}")

    def wait_for(self, event, target, timeout=10.0):
        """When `event` (arrived, left) befell the request for target, on time.monotonic()."""
        def found():
            return [e["at"] for e in self.events(target) if e["event"] == event]

        return wait_until(f"{event} {target}", found, timeout)[0]


class OriginProcess(Origin):
    def __init__(self, directory, certs=None, name="origin", port=0):
        argv = [sys.executable, "-m", "tests.support.origin", "--port", port]
        if certs:
            argv += ["--certs", certs]
        self.process = Process(name, argv, directory, cwd=ROOT)
        self.process.wait_ready(lambda: self.process.out.endswith("\n"))
        super().__init__("127.0.0.1", json.loads(self.process.out))
        self.ports["closed"] = free_port()

    def stop(self):
        return self.process.stop()


def now():
    """The clock that the origin's events are on."""
    return time.monotonic()
