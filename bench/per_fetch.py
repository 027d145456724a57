"""The daemon's CPU time for each fetch, and that of a baseline: a C program on libcurl.

They take turns, round after round, with the same origin, so that other load on the machine
affects all of them. Each round gives one ratio; the median of the ratios is reported.
"""

import json
import subprocess
from contextlib import ExitStack

from bench.process_usage import Cpu
from bench.quartiles import quartiles_of
from bench.setup import Failed, Stage, origin

IN_FLIGHT = 64
BASELINE = "baseline"


def run_baseline(program, url, fetches):
    """One sample."""
    done = subprocess.run([program, url, str(fetches), str(IN_FLIGHT)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{program}: {done.stdout}{done.stderr}")
    r = json.loads(done.stdout)
    return {"user_us": r["user_us"] / fetches, "system_us": r["system_us"] / fetches,
            "cpu_us": (r["user_us"] + r["system_us"]) / fetches,
            "rate": fetches / r["wall_us"] * 1e6}


def run_daemon(stage, ask, url, seconds):
    """One sample of the daemon's; nginx' share is noted beside it."""
    with Cpu(stage.pid) as own:
        result = ask(url, seconds=seconds, connections=IN_FLIGHT)
    n = result["requests"]
    return {"user_us": own.user / n, "system_us": own.system / n, "cpu_us": own.us / n,
            "rate": n / result["seconds"], "p50_ms": result["p50_ms"],
            "p99_ms": result["p99_ms"]}


def subjects(stages, baseline, url, options):
    """Name → a function that takes one sample."""
    all_ = {BASELINE: lambda: run_baseline(baseline, url, options.fetches)}
    for label, stage in stages.items():
        for method, ask in (("POST", stage.post), ("GET", stage.get)):
            all_[f"{method}{label}"] = (
                lambda stage=stage, ask=ask: run_daemon(stage, ask, url, options.seconds))
    return all_


def take_samples(all_, rounds, tell):
    samples = {name: [] for name in all_}
    for i in range(rounds):
        # Forwards, then backwards: nobody always comes after the same one.
        for name in list(all_)[::1 if i % 2 == 0 else -1]:
            samples[name].append(all_[name]())
        tell(f"round {i + 1} of {rounds}: " + ", ".join(
            f"{name} {s[-1]['cpu_us']:.1f} µs" for name, s in samples.items()))
    return samples


def summarize(samples):
    base = [s["cpu_us"] for s in samples[BASELINE]]
    summary = {}
    for name, list_ in samples.items():
        ratios = [s["cpu_us"] / b for s, b in zip(list_, base)]
        summary[name] = {key: quartiles_of([s[key] for s in list_]) for key in list_[0]}
        summary[name]["ratio"] = quartiles_of(ratios)
    return summary


def measure(options, tell):
    """`options.daemons`: label → binary; with one daemon its label is empty."""
    with ExitStack() as stack:
        url = stack.enter_context(origin())
        stages = {label: stack.enter_context(Stage(binary))
                  for label, binary in options.daemons.items()}
        for stage in stages.values():
            stage.check(url)
        all_ = subjects(stages, options.baseline, url, options)
        for take in all_.values():
            take()  # to warm up
        samples = take_samples(all_, options.rounds, tell)
    return {"in_flight": IN_FLIGHT, "samples": samples, "summary": summarize(samples)}
