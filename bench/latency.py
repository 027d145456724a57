"""Latency at fixed rates, at most 16 fetches in flight, above nginx' own proxy.

The load is an open loop (baseline.c with -r): a fetch's latency counts from when it was due.
"""

from contextlib import ExitStack

from bench.doors import FETCH, IN_FRAMES, STREAM, Point, check, load
from bench.figures import figure
from bench.setup import Stage, origin, run_baseline
from bench.turns import column_of, take_turns

IN_FLIGHT = 16
RATES = [1000, 2000, 4000]
POINT = Point(in_flight=IN_FLIGHT)
PROXY = "proxy_pass"
DOORS = [FETCH, IN_FRAMES, STREAM]
PERCENTILES = {"p50_ms": "p50", "p99_ms": "p99"}


def ask(stage, path, options, rate, door=None, url=None):
    how = ["-d", door.body(url), "-H", f"Accept: {door.accept}",
           "-H", "Content-Type: application/json"] if door else []
    n = max(IN_FLIGHT, int(rate * options.rate_seconds))
    r = run_baseline(options.baseline, stage.nginx.url + path, n, IN_FLIGHT, "-r", rate, *how)
    return {"p50_ms": r["p50_ms"], "p99_ms": r["p99_ms"]}


def ask_closed(stage, path, options, door=None, url=None):
    _, _, r = load(stage, path, POINT, options, door, url)
    return {"p50_ms": r["p50_ms"], "p99_ms": r["p99_ms"]}


def subjects(stage, url, options, asking):
    all_ = {PROXY: lambda: asking(stage, f"/proxy/{POINT.size}.txt", options)}
    for door in DOORS:
        all_[door.name] = lambda door=door: asking(stage, "/_fetch" + door.route, options,
                                                   door=door, url=url)
    return all_


def figures_of(key, words, samples):
    for column, name in PERCENTILES.items():
        base = [ms * 1e3 for ms in column_of(samples, PROXY, column)]
        yield figure(f"{key}/proxy/{name}", f"{name} of {PROXY}, {words}", "µs", base)
        for door in DOORS:
            us = [ms * 1e3 for ms in column_of(samples, door.name, column)]
            yield figure(f"{key}/{door.name}/{name}", f"{name} of {door.name}, {words}", "µs", us,
                         plot_only=True)
            yield figure(f"{key}/{door.name}/{name}-added",
                         f"{name} of {door.name} above {PROXY}, {words}", "µs",
                         [a - b for a, b in zip(us, base)])


def measure(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stage = stack.enter_context(Stage(options.daemon, origin_=origin_))
        url, found = POINT.url(origin_), []
        for door in DOORS:
            check(stage, door, url, POINT.size)
        for rate in RATES:
            def at_rate(*args, rate=rate, **keys):
                return ask(*args, rate=rate, **keys)
            words = f"{rate:,} a second, {IN_FLIGHT} connections"
            tell(f"latency at {words}")
            samples = take_turns(subjects(stage, url, options, at_rate), options.rounds, tell,
                                 "p50_ms", "ms")
            found += figures_of(f"latency/{rate}", words, samples)
        tell(f"latency of closed loops, {IN_FLIGHT} in flight")
        samples = take_turns(subjects(stage, url, options, ask_closed), options.rounds, tell,
                             "p50_ms", "ms")
        return [*found, *figures_of("latency/closed", f"closed loop, {IN_FLIGHT} in flight",
                                    samples)]
