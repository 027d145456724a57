"""What a browser's face costs: each fetch, and each new TLS connection.

All sides use the libcurl-impersonate inside curl_cffi: the daemon by CURLEW_LIBCURL, the bare loop
preloaded, curl_cffi itself.
"""

import subprocess
import sys
from contextlib import ExitStack

from bench.doors import FETCH, Point
from bench.figures import Failed, figure
from bench.process_usage import Cpu
from bench.setup import HERE, KB, Stage, origin, run_baseline
from bench.turns import column_of, take_turns
from tests.support.libcurls import CURL_CFFI, impersonating_env

TARGET = "chrome"
POINT = Point("h2")
HANDSHAKES_AT_ONCE = 16
BARE = "bare loop, same library"


def check(stage, url, connections):
    """The target that the alias stands for, if the second fetch's connection is as expected."""
    for _ in range(2):
        envelope = stage.nginx.fetch(url, impersonate=TARGET)
        if envelope["status"] != 200 or envelope["body_bytes"] != KB:
            raise Failed(f"not our page: {envelope}")
    if envelope["connection"]["reused"] is not (connections == "kept"):
        raise Failed(f"connections are not {connections}: {envelope}")
    return envelope["impersonated"]


def ask(stage, url, options, target=None):
    with_target = f'{{"url": "{url}", "impersonate": "{target}"}}'
    body = with_target if target else f'{{"url": "{url}"}}'
    with Cpu(stage.pid) as own:
        r = stage.wrk("/_fetch" + FETCH.route, seconds=options.seconds,
                      connections=POINT.in_flight, body=body)
    return {"cpu_us": own.us / r["requests"]}


def ask_new(stage, url, options, target):
    """Exactly so many new connections."""
    n = options.handshakes
    body = f'{{"url": "{url}", "impersonate": "{target}"}}'
    with Cpu(stage.pid) as own:
        run_baseline(options.baseline, stage.nginx.url + "/_fetch" + FETCH.route, n,
                     HANDSHAKES_AT_ONCE, "-u", 0, "-d", body, "-H",
                     "Content-Type: application/json")
    return {"cpu_us": own.us / n}


def ask_curl_cffi(url, ca, options, target):
    argv = [sys.executable, HERE / "handshakes.py", url, ca, target, options.handshakes,
            HANDSHAKES_AT_ONCE]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"handshakes.py: {done.stdout}{done.stderr}")
    return {"cpu_us": float(done.stdout)}


def per_fetch(stage, origin_, options, tell):
    url = origin_.url("h2")
    target = check(stage, url, "kept")

    def bare(*face):
        n = max(POINT.in_flight, int(options.bare_fetches))
        return run_baseline(options.baseline, url, n, POINT.in_flight, "-k", origin_.ca, *face,
                            preload=CURL_CFFI)

    all_ = {"plain": lambda: ask(stage, url, options),
            TARGET: lambda: ask(stage, url, options, TARGET),
            "bare, plain": bare, f"bare, {TARGET}": lambda: bare("-i", target)}
    samples = take_turns(all_, options.rounds, tell)
    key, words = "impersonate/fetch", f"POST fetch, {POINT.words}"
    plain, face, bare_plain, bare_face = (column_of(samples, name, "cpu_us") for name in all_)
    return [figure(f"{key}/plain", f"{words}, no target", "µs", plain, BARE, bare_plain),
            figure(f"{key}/target", f"{words}, {TARGET}", "µs", face, "no target", plain),
            figure(f"{key}/target-bare", f"{words}, {TARGET}", "µs", face, BARE, bare_face),
            figure(f"{key}/bare", f"bare loop, {POINT.words}, {TARGET}", "µs", bare_face,
                   "no target", bare_plain)]


def per_connection(stage, origin_, options, tell):
    url = origin_.url("new")
    target = check(stage, url, "new")
    all_ = {
        "curlewd": lambda: ask_new(stage, url, options, TARGET),
        "curl_cffi": lambda: ask_curl_cffi(url, origin_.ca, options, TARGET),
        "bare": lambda: run_baseline(options.baseline, url, options.handshakes, HANDSHAKES_AT_ONCE,
                                     "-u", 1, "-k", origin_.ca, "-i", target, preload=CURL_CFFI)}
    samples = take_turns(all_, options.rounds, tell)
    ours, theirs, bare = (column_of(samples, name, "cpu_us") for name in all_)
    key, words = "impersonate/new", f"a fetch over a new TLS connection, {TARGET}"
    return [figure(f"{key}/curl_cffi", f"curl_cffi, {words}", "µs", theirs),
            figure(f"{key}/bare", f"bare loop, {words}", "µs", bare),
            figure(f"{key}/curlewd", f"POST fetch, {words}", "µs", ours, "curl_cffi", theirs),
            figure(f"{key}/curlewd-bare", f"POST fetch, {words}", "µs", ours, BARE, bare)]


def measure(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stage = stack.enter_context(Stage(options.daemon, origin_=origin_,
                                          env=impersonating_env()))
        tell(f"impersonating {TARGET}")
        found = per_fetch(stage, origin_, options, tell)
        tell("new TLS connections")
        return [*found, *per_connection(stage, origin_, options, tell)]
