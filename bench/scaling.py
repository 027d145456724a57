"""What docs/scaling.md counts with: python -m bench.scaling [--seconds N] [--publish].

Measures what HAProxy and nginx cost as balancers of three curlewds; the figures of a fetch are
those of bench/results.json. Prints the page's table. --publish keeps the balancers' figures in
bench/balancers.json, and writes the table into the page.
"""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path
from statistics import median

from bench.process_usage import Cpu
from bench.setup import run_wrk
from tests.support.replicas import BALANCERS, Replicas, workers_of

ROOT = Path(__file__).resolve().parents[1]
RESULTS, BALANCERS_FILE = ROOT / "bench/results.json", ROOT / "bench/balancers.json"
PAGE = ROOT / "docs/scaling.md"
BLOCK = re.compile(r"(<!-- figures: scaling -->\n).*?(<!-- end -->)", re.S)
KEYS, CONNECTIONS, ROUNDS = 50, 64, 3
MILLION = 1_000_000
WAITS = (0.1, 2)  # seconds that an origin takes


# -- the balancers ---------------------------------------------------------------


def cpu_of_a_request(name, seconds, rounds):
    """µs of the balancer's CPU, in each round, for a GET that the replica answers itself."""
    replicas = Replicas(name, {"replica": True, "log": {"access": False}})
    try:
        pid = replicas.process.pid
        pids = [pid, *map(int, workers_of(pid))]
        found = []
        for _ in range(rounds):
            with Cpu(*pids) as own:
                done = run_wrk(f"{replicas.url}/_fetch/healthz", seconds, CONNECTIONS, routes=KEYS)
            found.append(own.us / done["requests"])
        return found
    finally:
        replicas.stop()


def measure(seconds, rounds=ROUNDS):
    return {"time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "seconds": seconds,
            "load": round(os.getloadavg()[0], 1), "cpus": os.cpu_count(),
            "cpu_us": {name: [round(us, 1) for us in cpu_of_a_request(name, seconds, rounds)]
                       for name in BALANCERS}}


# -- the page --------------------------------------------------------------------


def medians(parts):
    return {f["key"]: f["median"] for part in parts.values() for f in part["figures"]}


def parked_kb(of):
    """Of each fetch, by the run that has parked most."""
    most = max(int(key.partition("/")[2]) for key in of if re.fullmatch(r"parked/\d+", key))
    return (of[f"parked/{most}"] - of["parked/0"]) * 1000 / most, most


def cpu_row(what, us, source):
    """A second of CPU time for each core: as many µs a fetch as cores for a million."""
    return f"| {what} | {us:,.0f} µs of CPU | {source} | {us:,.0f} cores |"


def table(parts, balancers):
    of = medians(parts)
    here = "[performance.md](performance.md#cpu-time-of-a-fetch), `bench/run per_fetch`"
    kb, most = parked_kb(of)
    waits = "; ".join(f"origins that take {s} s: {s * MILLION:,.0f} parked, "
                      f"{kb * s * MILLION / 1e6:,.1f} GB" for s in WAITS)
    cost = {name: median(us) for name, us in balancers["cpu_us"].items()}
    own = (f"`make bench-scaling`, {balancers['time']}, {balancers['cpus']} cores, "
           f"load before the run {balancers['load']}")
    return "\n".join([
        "| what | figure | from | for 1,000,000 a second |", "|---|---:|---|---:|",
        cpu_row("curlewd, POST fetch of 1 KB, HTTP/1.1, kept connections",
                of["per_fetch/http-64-1000/fetch"], here),
        cpu_row("… over TLS, kept connections", of["per_fetch/tls-64-1000/fetch"], "the same"),
        cpu_row("… in batches of 100", of["per_fetch/http-100-1000/batch"], "the same"),
        cpu_row("… over a new TLS connection each, as Chrome", of["impersonate/new/curlewd"],
                "[performance.md](performance.md#impersonation), `bench/run impersonate`"),
        cpu_row("HAProxy", cost["haproxy"], own),
        cpu_row("nginx in its place", cost["nginx"], "the same"),
        f"| a fetch that waits (parked) | {kb:.0f} KB | [performance.md](performance.md"
        f"#how-cost-grows), `bench/run parked`, with {most:,} | {waits} |"])


def write_page(text):
    PAGE.write_text(BLOCK.sub(lambda m: f"{m[1]}{text}\n{m[2]}", PAGE.read_text()))


def refresh():
    """By new results of a fetch, and the balancers' of before."""
    write_page(table(json.loads(RESULTS.read_text()), json.loads(BALANCERS_FILE.read_text())))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seconds", type=int, default=4, help="of load in each of three rounds")
    p.add_argument("--publish", action="store_true")
    options = p.parse_args()
    balancers = measure(options.seconds)
    text = table(json.loads(RESULTS.read_text()), balancers)
    print(text)
    if options.publish:
        BALANCERS_FILE.write_text(json.dumps(balancers) + "\n")
        write_page(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
