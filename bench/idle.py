"""A daemon that has nothing to do: how often it wakes, and what it holds."""

import time

from bench.per_fetch import IN_FLIGHT
from bench.process_usage import resident_kib, wake_ups
from bench.setup import Stage, origin


def watch(pid, seconds):
    before = wake_ups(pid)
    time.sleep(seconds)
    return {"wake_ups_per_second": (wake_ups(pid) - before) / seconds,
            "resident_kib": resident_kib(pid)}


def measure(options, tell):
    """Fresh, and after a load with its warm connections still open on both sides."""
    with origin() as url, Stage(options.daemon) as stage:
        fresh = watch(stage.pid, options.idle_seconds)
        stage.post(url, seconds=options.seconds, connections=IN_FLIGHT)
        time.sleep(1)
        warm = watch(stage.pid, options.idle_seconds)
    for name, r in (("fresh", fresh), ("warm", warm)):
        tell(f"idle, {name}: {r['wake_ups_per_second']:.2f} wake-ups a second, "
             f"{r['resident_kib'] / 1024:.1f} MiB")
    return {"seconds": options.idle_seconds, "fresh": fresh, "warm": warm}
