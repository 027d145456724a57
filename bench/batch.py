"""The daemon's CPU time for each fetch of a batch, and that of the baseline.

One HTTP request asks for a hundred fetches; they take turns with the baseline as in per_fetch.
"""

import json
from contextlib import ExitStack

from bench.per_fetch import BASELINE, run_baseline, summarize, take_samples
from bench.process_usage import Cpu
from bench.setup import Failed, Stage, origin

COUNT = 100
CALLERS = (1, 4)  # how many such calls are under way at once
ROUTE = "/v1/batch"


def check(stage, body):
    """One batch really comes back whole."""
    response = stage.nginx.ask("POST", ROUTE, body=body.encode())
    lines = [json.loads(line) for line in response.body.splitlines()]
    if sorted(line["index"] for line in lines) != list(range(COUNT)):
        raise Failed(f"not our batch: {response}")
    if any(line["status"] != 200 for line in lines):
        raise Failed(f"not our page: {response}")


def run_batches(stage, body, callers, seconds):
    """One sample of the daemon's, by the fetch."""
    with Cpu(stage.pid) as own:
        result = stage.ask(ROUTE, body, seconds=seconds, connections=callers)
    n = result["requests"] * COUNT
    return {"user_us": own.user / n, "system_us": own.system / n, "cpu_us": own.us / n,
            "rate": n / result["seconds"], "p50_ms": result["p50_ms"],
            "p99_ms": result["p99_ms"]}


def subjects(stages, body, url, options):
    """Name → a function that takes one sample."""
    all_ = {BASELINE: lambda: run_baseline(options.baseline, url, options.fetches)}
    for label, stage in stages.items():
        for callers in CALLERS:
            all_[f"{callers} at once{label}"] = (
                lambda stage=stage, callers=callers:
                run_batches(stage, body, callers, options.seconds))
    return all_


def measure(options, tell):
    with ExitStack() as stack:
        url = stack.enter_context(origin())
        body = json.dumps({"requests": [{"url": url}] * COUNT})
        stages = {label: stack.enter_context(Stage(binary))
                  for label, binary in options.daemons.items()}
        for stage in stages.values():
            check(stage, body)
        all_ = subjects(stages, body, url, options)
        for take in all_.values():
            take()  # to warm up
        samples = take_samples(all_, options.rounds, tell)
    return {"count": COUNT, "samples": samples, "summary": summarize(samples)}
