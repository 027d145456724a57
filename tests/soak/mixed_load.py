"""All kinds of requests, good ones and such as must fail, by several threads and ways in.

Each function of REQUESTS makes one request with the client, and raises AssertionError if the
response is not the right one.
"""

import base64
import collections
import json
import random
import threading
import time

from tests.support import clients, fcgi
from tests.support.concurrency import Threads
from tests.support.origin.pages import pattern

SIZES = (0, 1, 1000, 20_000, 300_000)
PATIENCE = 30  # seconds


# -- good ones -----------------------------------------------------------------------


def fetch(client, origin):
    assert client.fetch(origin.url("/hello"))["body"] == "hello\n"


def fetch_body(client, origin):
    size = random.choice(SIZES)
    envelope, body = client.frames(origin.url(f"/bytes/{size}"))
    assert envelope["body_bytes"] == size and body == pattern(size)


def post(client, origin):
    text = "x" * random.choice(SIZES)
    envelope = client.fetch(origin.url("/echo"), method="POST", body=text)
    assert base64.b64decode(json.loads(envelope["body"])["body_base64"]) == text.encode()


def decode(client, origin):
    size = random.choice(SIZES[1:])
    envelope = client.fetch(origin.url(f"/{random.choice(['gzip', 'br', 'zstd'])}?n={size}"))
    assert envelope["body_bytes"] == size


def redirect(client, origin):
    assert client.fetch(origin.url("/redirect/3"))["url"].endswith("/hello")


def stream(client, origin):
    size = random.choice(SIZES)
    response = client.get("/v1/stream", {"url": origin.url(f"/bytes/{size}")})
    assert response.status == 200 and response.body == pattern(size)


def batch(client, origin):
    requests = [{"url": origin.url("/hello"), "tag": str(i)} for i in range(15)]
    requests += [{"url": origin.url("/close-early"), "tag": "cut"}]
    body = json.dumps({"requests": requests, "max_parallel": 5}).encode()
    response = client.ask("POST", "/v1/batch", body=body, timeout=PATIENCE)
    lines = {line["tag"]: line for line in map(json.loads, response.body.splitlines())}
    assert lines.pop("cut")["error"]["code"] == "incomplete_body"
    assert [lines[str(i)]["body"] for i in range(15)] == ["hello\n"] * 15


def session(client, origin):
    """Made, used and removed: not while daemons are restarted, as it lives in memory."""
    name = f"soak-{threading.get_ident()}"
    body = json.dumps({"cookie_jar": "shared", "idle_seconds": 1}).encode()
    put = client.ask("PUT", f"/v1/sessions/{name}", body=body)
    assert put.status in (200, 201, 204), put
    assert client.fetch(origin.url("/hello"), session=name)["session"] == name
    removed = client.ask("DELETE", f"/v1/sessions/{name}")
    assert removed.status in (200, 204), removed


# -- faults --------------------------------------------------------------------------

FAULTS = {
    "/close-early": "incomplete_body", "/reset": "recv_failed", "/reset?after=10": "recv_failed",
    "/hang-up": "recv_failed", "/garbage": "protocol_error", "/chunked-broken": "protocol_error",
    "/bad-gzip": "protocol_error", "/endless-headers": "protocol_error", "/stall?n=10": "timeout",
    "/silent": "timeout", "/half-head": "timeout",
}


def fault(client, origin):
    path, code = random.choice(list(FAULTS.items()))
    response = client.post({"url": origin.url(path), "timeout": 0.3 if code == "timeout" else 20})
    said = response.json().get("code")
    assert response.status in (502, 504) and said == code, (path, response)


def refusal(client, origin):
    assert client.post({"url": "ftp://x/"}).status in (400, 403)
    assert client.post(b"{").status == 400


REQUESTS = (fetch, fetch_body, post, decode, redirect, stream, batch, session, fault, refusal)


# -- on the socket alone ---------------------------------------------------------------


def handoff(path, origin):
    size = random.choice(SIZES)
    params = {**fcgi.cgi_params("GET", "/view"),
              "CURLEW_REQUEST": json.dumps({"url": origin.url(f"/bytes/{size}")})}
    with fcgi.Connection(path, PATIENCE) as c:
        c.send(fcgi.request(params))
        response = c.read_response()
    assert response.status == 200 and response.body == pattern(size)


def leave(path, origin):
    """A caller that goes away: while it waits, in the middle of a stream, or of its request."""
    route, target = random.choice([("fetch", "/delay/5"), ("stream", "/bytes/3000000"),
                                   ("fetch", "/bytes/3000000")])
    body = json.dumps({"url": origin.url(target)}).encode()
    whole = fcgi.request(fcgi.cgi_params("POST", f"/_fetch/v1/{route}", body=body), body)
    with fcgi.Connection(path, PATIENCE) as c:
        c.send(whole[:random.choice([len(whole), random.randrange(len(whole))])])
        time.sleep(random.choice([0, 0.01, 0.05]))


ON_SOCKET = (handoff, leave)


class MixedLoad(Threads):
    """`ways` are clients; `path` is the daemon's socket.  Counts by name in `done`."""

    def __init__(self, ways, path, origin, threads=8):
        super().__init__(threads, 2 * PATIENCE)
        self.ways, self.path, self.origin = ways, path, origin
        self.done = collections.Counter()
        self.failed = []

    def run(self, number):
        while not self.stopping.is_set():
            function = random.choice(REQUESTS + ON_SOCKET)
            client = self.path if function in ON_SOCKET else random.choice(self.ways)
            name = function.__name__
            try:
                function(client, self.origin)
            except Exception as error:
                with self.lock:
                    way = client.__class__.__name__
                    self.failed.append(f"{name} by {way}: {error!r:.500}")
            with self.lock:
                self.done[name] += 1


class KeptClient(clients.Client):
    """Each thread has a connection of its own, kept from request to request."""

    def __init__(self, path):
        self.path, self.local, self.made = path, threading.local(), []

    def ask(self, *args, **kwargs):
        if not hasattr(self.local, "client"):
            self.local.client = clients.FastCgiClient(self.path, keep=True)
            self.made.append(self.local.client)
        return self.local.client.ask(*args, **kwargs)

    def close(self):
        for client in self.made:
            client.close()
