"""1,000 fetches of two seconds each, all in flight at once, and …/healthz meanwhile."""

import threading
import time
from contextlib import ExitStack
from statistics import median

from bench.process_usage import peak_kib
from bench.setup import Failed, Stage, delayed_origin

COUNT = 1000
DELAY_SECONDS = 2
SECONDS = 3  # in which all must be answered (wrk.lua)
PATIENCE_SECONDS = 8  # for those that are late


class Health:
    """Asks …/healthz again and again, through nginx and on the daemon's own socket."""

    def __init__(self, stage):
        self.clients = {"nginx": stage.nginx, "socket": stage.daemon.client}
        self.ms = {name: [] for name in self.clients}
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def _run(self):
        while not self.stopping.wait(0.002):
            for name, client in self.clients.items():
                start = time.perf_counter()
                status = client.ask("GET", "/healthz").status
                self.ms[name].append((time.perf_counter() - start) * 1e3)
                if status != 200:
                    self.error = status

    def summary(self):
        if self.error is not None:
            raise Failed(f"…/healthz answered {self.error}")
        return {name: {"asked": len(ms), "median_ms": median(ms), "max_ms": max(ms)}
                for name, ms in self.ms.items()}


def once(options):
    with ExitStack() as stack:
        url = stack.enter_context(delayed_origin(DELAY_SECONDS))
        stage = stack.enter_context(Stage(options.daemon))
        stage.nginx.fetch(url)
        with Health(stage) as health:
            wrk = stage.post(url, seconds=PATIENCE_SECONDS, connections=COUNT, once=COUNT)
        if wrk["requests"] != COUNT:
            raise Failed(f"{wrk['requests']} of {COUNT} were answered at all")
        return {"in_time": wrk["in_time"], "p50_ms": wrk["p50_ms"], "last_s": wrk["last_s"],
                "peak_kib": peak_kib(stage.pid), "healthz": health.summary()}


def measure(options, tell):
    runs = []
    for i in range(options.repeats):
        runs.append(r := once(options))
        tell(f"1,000 at once, {i + 1} of {options.repeats}: {r['in_time']} in {SECONDS} s, "
             f"last after {r['last_s']:.2f} s, peak {r['peak_kib'] / 1024:.0f} MiB, healthz "
             + ", ".join(f"{client} {h['max_ms']:.1f} ms" for client, h in r["healthz"].items()))
    return {"count": COUNT, "delay_seconds": DELAY_SECONDS, "seconds": SECONDS, "runs": runs}
