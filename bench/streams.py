"""2,000 streams at once, each to a slow reader; and how late server-sent events come."""

import http.client
import json
import shutil
import sys
import time
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

from bench.process_usage import Cpu, peak_kib, resident_kib
from bench.setup import HERE, Failed, Stage, origin
from tests.support.procs import Process, temp_dir, wait_until

COUNT = 2000
RATE = 10_000  # bytes a second that each reader takes
SECONDS = 60  # longer than all the buffers on the way last
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


def run_readers(stage, url, events_url):
    """2,000 slow readers, and one listener to events."""
    argv = [stage.nginx.port, ROUTE, json.dumps({"url": url}), COUNT, RATE, SECONDS]
    with helper("slow_readers", *argv) as readers:
        with Cpu(stage.pid) as cpu:
            start = time.monotonic()
            beside = listen(stage, events_url, EVENTS)
            wait_until("the readers to end", lambda: not readers.running(), SECONDS + 30, 0.1)
            took = time.monotonic() - start
        if readers.popen.returncode != 0:
            raise Failed(f"readers: {readers.out}{readers.err}")
        result = json.loads(readers.out.splitlines()[1])
    shares = [got / RATE / result["seconds"] for got in result["bytes"]]
    return {"sse_beside": beside, "least_share": min(shares), "median_share": median(shares),
            "longest_wait_s": max(result["longest_wait"]), "cpu_share": cpu.us / 1e6 / took}


def once(options):
    with ExitStack() as stack:
        url = stack.enter_context(origin(FILE_BYTES))
        sse_origin = stack.enter_context(helper("sse_origin", EVERY))
        events_url = f"http://127.0.0.1:{int(sse_origin.out)}/"
        stage = stack.enter_context(Stage(options.daemon, CONFIG))
        alone = listen(stage, events_url, EVENTS)
        before = resident_kib(stage.pid)
        result = {"sse": alone, **run_readers(stage, url, events_url)}
        result.update(before_kib=before, peak_kib=peak_kib(stage.pid),
                      per_stream_kib=(peak_kib(stage.pid) - before) / COUNT)
        return result


def measure(options, tell):
    runs = []
    for i in range(options.repeats):
        runs.append(r := once(options))
        tell(f"{COUNT:,} streams, {i + 1} of {options.repeats}: "
             f"peak {r['peak_kib'] / 1024:.0f} MiB ({r['per_stream_kib']:.0f} KiB a stream), "
             f"least share {r['least_share']:.2f}, longest wait {r['longest_wait_s']:.2f} s, "
             f"{r['cpu_share'] * 100:.0f} % of a core; events {r['sse']['median_ms']:.2f} ms late "
             f"alone, {r['sse_beside']['median_ms']:.2f} beside")
    return {"count": COUNT, "rate": RATE, "seconds": SECONDS, "runs": runs}
