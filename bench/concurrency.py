"""1,000 fetches of two seconds each, all in flight at once, and …/healthz meanwhile."""

import json
import threading
import time
from contextlib import ExitStack
from statistics import median

from bench.process_usage import peak_mb
from bench.figures import Failed, figure
from bench.setup import Stage, delayed_origin

COUNT = 1000
DELAY_SECONDS = 2
PATIENCE_SECONDS = 6  # for those that are late


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
    count = options.scaled(COUNT)
    with ExitStack() as stack:
        url = stack.enter_context(delayed_origin(DELAY_SECONDS))
        stage = stack.enter_context(Stage(options.daemon))
        stage.nginx.fetch(url)
        with Health(stage) as health:
            wrk = stage.wrk("/_fetch/v1/fetch", body=json.dumps({"url": url}),
                            seconds=DELAY_SECONDS + PATIENCE_SECONDS * count // COUNT + 1,
                            connections=count, once=count)
        if wrk["requests"] != count:
            raise Failed(f"{wrk['requests']} of {count} were answered at all")
        return {"count": count, "last_s": wrk["last_s"], "peak_mb": peak_mb(stage.pid),
                "healthz": health.summary()}


def measure(options, tell):
    runs = []
    for i in range(options.repeats):
        runs.append(r := once(options))
        tell(f"{r['count']:,} at once, {i + 1} of {options.repeats}: last after "
             f"{r['last_s']:.2f} s, peak {r['peak_mb']:.0f} MB, healthz "
             + ", ".join(f"{client} {h['max_ms']:.1f} ms" for client, h in r["healthz"].items()))
    words = f"{runs[0]['count']:,} fetches of {DELAY_SECONDS} s at once"
    found = [figure("concurrency/last", f"{words}: the last one after", "s",
                    [r["last_s"] for r in runs]),
             figure("concurrency/memory", f"{words}: peak memory", "MB",
                    [r["peak_mb"] for r in runs])]
    for client in runs[0]["healthz"]:
        for which in ("median", "max"):
            found.append(figure(f"concurrency/healthz-{client}-{which}",
                                f"{words}: {which} of /healthz, {client}", "µs",
                                [r["healthz"][client][f"{which}_ms"] * 1e3 for r in runs]))
    return found
