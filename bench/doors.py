"""The doors of the daemon that are measured, and the points at which they are."""

import json
from dataclasses import dataclass, replace

from bench.figures import Failed
from bench.process_usage import Cpu
from bench.setup import KB, MB, run_baseline
from tests.support.clients import FRAMES, HttpClient

BATCH = 100
PROTOCOLS = {"http": "HTTP/1.1", "tls": "TLS", "h2": "HTTP/2"}
LARGE = MB  # from here on so many bytes are asked for, and no response is broken off


@dataclass(frozen=True)
class Point:
    """One dimension at a time differs from the point where all begins."""

    protocol: str = "http"
    in_flight: int = 64
    size: int = KB

    @property
    def words(self):
        size = f"{self.size // KB} KB" if self.size < MB else f"{self.size // MB} MB"
        return f"{PROTOCOLS[self.protocol]}, {self.in_flight} in flight, {size}"

    @property
    def key(self):
        return f"{self.protocol}-{self.in_flight}-{self.size}"

    def url(self, origin):
        return origin.url(self.protocol, self.size)


BASE = Point()
# Ten large bodies fill the memory that envelopes may take; a few keep all processes busy.
LARGE_POINT = replace(BASE, size=10 * MB, in_flight=4)


@dataclass(frozen=True)
class Door:
    name: str
    route: str
    accept: str = "*/*"
    fetches: int = 1  # of one request

    def body(self, url):
        request = {"url": url}
        return json.dumps({"requests": [request] * self.fetches} if self.fetches > 1 else request)


FETCH = Door("POST fetch", "/v1/fetch")
IN_FRAMES = Door("frames", "/v1/fetch", FRAMES)
STREAM = Door("stream", "/v1/stream")
IN_BATCHES = Door(f"batch of {BATCH}", "/v1/batch", fetches=BATCH)


def count(door, response, size):
    """How many whole responses of this size a response of the door's holds."""
    if response.status != 200:
        return 0
    if door.accept == FRAMES:
        line, body = response.body.split(b"\n", 1)
        return json.loads(line)["body_bytes"] == size == len(body) - 1
    if door is STREAM:
        return len(response.body) == size
    envelopes = [json.loads(line) for line in response.body.splitlines()]
    return sum(e["status"] == 200 and e["body_bytes"] == size for e in envelopes)


def check(stage, door, url, size, mount="/_fetch"):
    """One response really comes back whole."""
    client = HttpClient(stage.nginx.port, mount)
    headers = [("Content-Type", "application/json"), ("Accept", door.accept)]
    response = client.ask("POST", door.route, body=door.body(url).encode(), headers=headers)
    if count(door, response, size) != door.fetches:
        raise Failed(f"{door.name}: not our page: {response}")


def load(stage, path, point, options, door=None, url=None):
    """(requests, seconds) of closed loops: each asks again when it has its answer."""
    if point.size < LARGE:
        connections = max(1, point.in_flight // (door.fetches if door else 1))
        how = {"body": door.body(url), "accept": door.accept} if door else {}
        r = stage.wrk(path, seconds=options.seconds, connections=connections, **how)
        return r["requests"], r["seconds"], r
    n = max(point.in_flight, options.large_bytes // point.size)
    how = ["-d", door.body(url), "-H", f"Accept: {door.accept}",
           "-H", "Content-Type: application/json"] if door else []
    r = run_baseline(options.baseline, stage.nginx.url + path, n, point.in_flight, "-u", 0, *how)
    return n, r["seconds"], r


def ask_door(stage, door, url, point, options, mount="/_fetch"):
    """One sample of a door; `path_us`: of nginx and the daemon together."""
    with Cpu(stage.pid) as own, Cpu(*stage.nginx_pids) as nginx:
        n, seconds, r = load(stage, mount + door.route, point, options, door, url)
    n *= door.fetches
    return {"user_us": own.user / n, "system_us": own.system / n, "cpu_us": own.us / n,
            "path_us": (own.us + nginx.us) / n, "rate": n / seconds,
            "mb_s": n * point.size / seconds / MB, "p50_ms": r.get("p50_ms")}


def ask_proxy(stage, path, point, options):
    """The same of nginx' own proxy."""
    with Cpu(*stage.nginx_pids) as nginx:
        n, seconds, r = load(stage, f"{path}{point.size}.txt", point, options)
    return {"path_us": nginx.us / n, "rate": n / seconds,
            "mb_s": n * point.size / seconds / MB, "p50_ms": r.get("p50_ms")}
