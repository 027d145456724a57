"""The daemon's CPU time for each fetch, and that of the bare loop: a C program on libcurl.

They take turns at the same origin: by the same protocol, as many in flight, bodies of the same
size. One dimension is varied at a time.
"""

from contextlib import ExitStack
from dataclasses import replace

from bench.doors import (BASE, FETCH, IN_BATCHES, IN_FRAMES, LARGE, LARGE_POINT, STREAM, ask_door,
                         check)
from bench.figures import figure, ratio_of_ratios
from bench.setup import KB, Stage, origin, run_baseline
from bench.turns import column_of, take_turns

BARE = "bare loop"
PLAN = [
    (BASE, [FETCH, IN_FRAMES, STREAM]),
    (replace(BASE, in_flight=100), [IN_BATCHES]),
    (replace(BASE, protocol="tls"), [FETCH, IN_FRAMES]),
    (replace(BASE, protocol="h2"), [FETCH, IN_FRAMES]),
    (replace(BASE, in_flight=1), [FETCH, IN_FRAMES]),
    (replace(BASE, in_flight=16), [FETCH, IN_FRAMES]),
    (replace(BASE, in_flight=256), [FETCH, IN_FRAMES]),
    (replace(BASE, size=100 * KB), [FETCH, IN_FRAMES, STREAM]),
    (LARGE_POINT, [FETCH, IN_FRAMES, STREAM]),
]
KEYS = {FETCH: "fetch", IN_FRAMES: "frames", STREAM: "stream", IN_BATCHES: "batch"}


def bare_sampler(point, origin_, options):
    """As many fetches as take about the time of a turn."""
    url, how = point.url(origin_), ["-k", origin_.ca, "-u", 10 if point.size < LARGE else 1]
    first = run_baseline(options.baseline, url, 4 * point.in_flight, point.in_flight, *how)
    n = max(4 * point.in_flight, int(first["rate"] * options.bare_seconds))
    return lambda: run_baseline(options.baseline, url, n, point.in_flight, *how)


def subjects(point, doors, stages, origin_, options):
    """Name → a function that takes one sample."""
    url = point.url(origin_)
    all_ = {BARE: bare_sampler(point, origin_, options)}
    for door in doors:
        for label, stage in stages.items():
            check(stage, door, url, point.size)
            all_[door.name + label] = (lambda stage=stage, door=door:
                                       ask_door(stage, door, url, point, options))
    return all_


def figures_of(point, doors, stages, samples):
    base = column_of(samples, BARE, "cpu_us")
    yield figure(f"per_fetch/{point.key}/bare", f"{BARE}, {point.words}", "µs", base)
    for door in doors:
        key = f"per_fetch/{point.key}/{KEYS[door]}"
        first, *others = stages
        ours = column_of(samples, door.name + first, "cpu_us")
        yield figure(key, f"{door.name}, {point.words}", "µs", ours, BARE, base)
        for label in others:
            theirs = column_of(samples, door.name + label, "cpu_us")
            yield figure(key + label, f"{door.name}, {point.words},{label}", "µs", theirs, BARE,
                         base)
            yield figure(f"{key}/against", f"{door.name}, {point.words}, this one", "µs", ours,
                         label.strip(), theirs)


def growth(found):
    """256 in flight are no worse than 64."""
    by_key = {f["key"]: f for f in found}
    for door in (FETCH, IN_FRAMES):
        one, other = (by_key[f"per_fetch/{replace(BASE, in_flight=n).key}/{KEYS[door]}"]
                      for n in (256, 64))
        yield ratio_of_ratios(f"per_fetch/256-over-64/{KEYS[door]}",
                              f"{door.name}: ratio at 256 in flight", one, other,
                              "that at 64")


def measure(options, tell):
    """`options.daemons`: label → binary; the label of ours is empty."""
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stages = {label: stack.enter_context(Stage(binary, origin_=origin_))
                  for label, binary in options.daemons.items()}
        found = []
        for point, doors in PLAN:
            tell(point.words)
            all_ = subjects(point, doors, stages, origin_, options)
            found += figures_of(point, doors, stages, take_turns(all_, options.rounds, tell))
    return [*found, *growth(found)]
