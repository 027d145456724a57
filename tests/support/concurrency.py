"""Concurrent requests: by threads for some dozens, by one asyncio loop for thousands."""

import asyncio
import concurrent.futures
import multiprocessing
import struct
import threading
import time
from urllib.parse import urlencode

from . import fcgi
from .procs import wait_until
from .response import parse_cgi_response


class BackgroundCalls:
    """Function calls running in threads; their results in the order of start()."""

    def __init__(self, size=64):
        self.pool = concurrent.futures.ThreadPoolExecutor(size)
        self.futures = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(cancel_futures=True)

    def start(self, function, *args, **kwargs):
        self.futures.append(self.pool.submit(function, *args, **kwargs))
        return self.futures[-1]

    def results(self, timeout=30):
        return [f.result(timeout) for f in self.futures]


class Threads:
    """run(number) in so many threads, until the end of the block; `patience`: of each, to end."""

    def __init__(self, count, patience=30):
        self.done, self.patience = 0, patience
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(self.patience)

    def run(self, number):
        """What one thread does until self.stopping is set."""
        raise NotImplementedError


def _probe(path, target, query, stop, slowest):
    while not stop.is_set():
        response, took = timed(fcgi.ask, path, "GET", target, query)
        slowest.value = max(slowest.value, took) if response.status == 200 else float("inf")
        stop.wait(0.01)


class Probe:
    """Requests a GET in a loop, in its own process so that the test's load doesn't delay it."""

    def __init__(self, path, target, query=""):
        context = multiprocessing.get_context("spawn")
        self.stop = context.Event()
        self.value = context.Value("d", 0.0)
        self.process = context.Process(target=_probe,
                                       args=(path, target, query, self.stop, self.value))

    def __enter__(self):
        self.process.start()
        wait_until("the first response", lambda: self.value.value > 0)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.process.join(20)
        self.process.kill()

    def slowest(self):
        """Seconds; infinite where a status was not 200."""
        return self.value.value


class HealthProbe(Probe):
    """Of …/healthz."""

    def __init__(self, path):
        super().__init__(path, "/_fetch/healthz")


class FetchProbe(Probe):
    """Of a fetch."""

    def __init__(self, path, url):
        super().__init__(path, "/_fetch/v1/fetch", urlencode({"url": url}))


def timed(function, *args, **kwargs):
    """(its result, seconds)"""
    start = time.monotonic()
    return function(*args, **kwargs), time.monotonic() - start


async def fcgi_request(path, request):
    """One whole request on a unix socket; its response."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(request)
    out = bytearray()
    try:
        while True:
            _, kind, _, length, pad = struct.unpack(">BBHHBx", await reader.readexactly(8))
            content = (await reader.readexactly(length + pad))[:length]
            if kind == fcgi.END:
                return parse_cgi_response(bytes(out))
            out += content
    finally:
        writer.close()


async def http_post(port, target, body):
    """One POST on a connection of its own; (status, body)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 b"Content-Length: %d\r\n\r\n%b" % (target.encode(), len(body), body))
    try:
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), rest
    finally:
        writer.close()
