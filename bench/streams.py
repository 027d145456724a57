"""2,000 streams at once, each to a slow reader; and how late server-sent events come."""

import http.client
import json
import shutil
import sys
import time
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

from bench.figures import Failed, figure
from bench.process_usage import Cpu, peak_mb, resident_mb
from bench.setup import HERE, Stage, origin
from tests.support.procs import Process, temp_dir, wait_until

COUNT = 2000
RATE = 10_000  # bytes a second that each reader takes
FILE_BYTES = 1 << 30
ROUTE = "/_fetch/v1/stream"
CONFIG = {"sessions": {"default": {"max_per_origin": 2 * COUNT, "max_in_flight": 2 * COUNT}},
          "limits": {"in_flight": 2 * COUNT}}

EVENTS = 200
EVERY = 0.02  # seconds between two events


@contextmanager
def helper(name, *argv):
    """A program of ours beside this file, once it has printed its first line."""
    directory = temp_dir("curlew-bench-")
    process = Process(name, [sys.executable, HERE / f"{name}.py", *argv], directory)
    try:
        wait_until(f"{name}'s first line", lambda: "\n" in process.out or not process.running(), 60)
        if not process.running():
            raise Failed(f"{name}: {process.out}{process.err}")
        yield process
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


def listen(stage, url, events):
    """Milliseconds from its leaving the origin to its arrival here, of each event."""
    late, rest = [], b""
    c = http.client.HTTPConnection("127.0.0.1", stage.nginx.port, timeout=20)
    c.request("POST", ROUTE, json.dumps({"url": url}))
    response = c.getresponse()
    if response.status != 200:
        raise Failed(f"no events: {response.status} {response.read()!r}")
    while len(late) < events:
        piece = response.read1(65536)
        now = time.monotonic()
        *whole, rest = (rest + piece).split(b"\n\n")
        if not piece:
            raise Failed("the events ended")
        late += [(now - float(event.removeprefix(b"data: "))) * 1e3 for event in whole]
    c.close()
    return {"events": len(late), "median_ms": median(late), "p99_ms": quantiles(late, n=100)[98],
            "max_ms": max(late)}


def run_readers(stage, url, events_url, options):
    """Slow readers, and one listener to events."""
    seconds = options.stream_seconds
    argv = [stage.nginx.port, ROUTE, json.dumps({"url": url}), options.scaled(COUNT), RATE, seconds]
    with helper("slow_readers", *argv) as readers:
        with Cpu(stage.pid) as cpu:
            start = time.monotonic()
            beside = listen(stage, events_url, EVENTS)
            wait_until("the readers to end", lambda: not readers.running(), seconds + 30, 0.1)
            took = time.monotonic() - start
        if readers.popen.returncode != 0:
            raise Failed(f"readers: {readers.out}{readers.err}")
        result = json.loads(readers.out.splitlines()[1])
    shares = [got / RATE / result["seconds"] for got in result["bytes"]]
    return {"sse_beside": beside, "least_share": min(shares), "median_share": median(shares),
            "longest_wait_s": max(result["longest_wait"]), "cpu_share": cpu.us / 1e6 / took}


def once(options):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        origin_.add_file(FILE_BYTES)
        sse_origin = stack.enter_context(helper("sse_origin", EVERY))
        events_url = f"http://127.0.0.1:{int(sse_origin.out)}/"
        stage = stack.enter_context(Stage(options.daemon, CONFIG))
        alone = listen(stage, events_url, EVENTS)
        before = resident_mb(stage.pid)
        readers = run_readers(stage, origin_.url(size=FILE_BYTES), events_url, options)
        peak = peak_mb(stage.pid)
        return {"sse": alone, "peak_mb": peak,
                "per_stream_kb": (peak - before) * 1e3 / options.scaled(COUNT), **readers}


def measure(options, tell):
    runs = []
    for i in range(options.stream_repeats):
        runs.append(r := once(options))
        tell(f"streams, {i + 1} of {options.stream_repeats}: peak {r['peak_mb']:.0f} MB "
             f"({r['per_stream_kb']:.0f} KB a stream), least share {r['least_share']:.2f}, "
             f"longest wait {r['longest_wait_s']:.2f} s; events {r['sse']['median_ms']:.2f} ms "
             f"late alone, {r['sse_beside']['median_ms']:.2f} beside")
    words = f"{options.scaled(COUNT):,} streams read at {RATE // 1000} KB/s"

    def of(key, what, unit, value):
        return figure(f"streams/{key}", f"{words}: {what}", unit, [value(r) for r in runs])
    return [of("memory", "peak memory", "MB", lambda r: r["peak_mb"]),
            of("each", "memory of each", "KB", lambda r: r["per_stream_kb"]),
            of("share", "slowest one's share of its rate", "%", lambda r: r["least_share"] * 100),
            of("gap", "longest gap", "s", lambda r: r["longest_wait_s"]),
            of("cpu", "CPU", "% of a core", lambda r: r["cpu_share"] * 100),
            of("event", "events' delay beside them, median", "µs",
               lambda r: r["sse_beside"]["median_ms"] * 1e3),
            of("event-p99", "events' delay beside them, p99", "µs",
               lambda r: r["sse_beside"]["p99_ms"] * 1e3),
            of("event-alone", "events' delay without them, median", "µs",
               lambda r: r["sse"]["median_ms"] * 1e3)]
