"""A daemon that has nothing to do: how often it wakes, and what it holds."""

import time

from bench.doors import BASE, FETCH
from bench.figures import figure
from bench.process_usage import resident_mb, wake_ups
from bench.setup import Stage, origin


def watch(pid, seconds):
    before = wake_ups(pid)
    time.sleep(seconds)
    return {"wake_ups": (wake_ups(pid) - before) / seconds, "mb": resident_mb(pid)}


def measure(options, tell):
    """Fresh, and after a load with its warm connections still open on both sides."""
    with origin() as origin_, Stage(options.daemon) as stage:
        states = {"just started": watch(stage.pid, options.idle_seconds)}
        stage.wrk("/_fetch" + FETCH.route, body=FETCH.body(origin_.url()),
                  seconds=options.seconds, connections=BASE.in_flight)
        time.sleep(1)
        states["after load"] = watch(stage.pid, options.idle_seconds)
    found = []
    for name, r in states.items():
        tell(f"idle, {name}: {r['wake_ups']:.2f} wake-ups a second, {r['mb']:.1f} MB")
        key = f"idle/{name.replace(' ', '-')}"
        found += [figure(f"{key}/memory", f"idle, {name}: memory", "MB", [r["mb"]]),
                  figure(f"{key}/wake-ups", f"idle, {name}: wake-ups", "a second",
                         [r["wake_ups"]])]
    return found
