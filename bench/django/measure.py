"""CPU time of Django's process for each request, over that of a view that fetches nothing.

Each client has a uvicorn of its own. They take turns, round after round, at the same origin and
the same machine; each round gives one difference for each client, and the median counts.
"""

import http.client
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.process_usage import Cpu
from bench.quartiles import quartiles_of
from bench.setup import BODY_BYTES, Failed, origin, start_daemon
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.web_servers import PACKAGE

HERE = Path(__file__).parent
NOTHING = "nothing"
CLIENTS = [NOTHING, "curlew", "aiohttp", "curl_cffi", "httpx"]
VIEWS = {"one": (BODY_BYTES, 8), "twenty": (20 * BODY_BYTES, 4)}  # bytes fetched, requests at once
UVICORN = ["-m", "uvicorn", "--log-level", "warning", "--no-access-log", "--port"]
SERVERS = {  # as pip installs it, and with its extras: another event loop, another parser
    "uvicorn": ["--loop", "asyncio", "--http", "h11"],
    "uvicorn[standard]": ["--loop", "uvloop", "--http", "httptools"],
}


@contextmanager
def site(server, client, url, daemon):
    """(pid, port) of a Django whose views fetch with `client`."""
    directory, port = temp_dir("curlew-bench-"), free_port()
    env = {"CLIENT": client, "ORIGIN": url, "CURLEW_URL": f"fcgi+unix:{daemon.socket}",
           "PYTHONPATH": str(PACKAGE), "DJANGO_SETTINGS_MODULE": None}
    argv = [sys.executable, *UVICORN, port, *SERVERS[server], "project:application"]
    process = Process(client, argv, directory, env=env, cwd=HERE)
    try:
        process.wait_ready(lambda: connects(("127.0.0.1", port)))
        yield process.pid, port
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


def ask(port, view, size, count):
    """`count` requests over one connection; the seconds that each took."""
    took, connection = [], http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for _ in range(count):
            start = time.perf_counter()
            connection.request("GET", f"/{view}")
            response = connection.getresponse()
            said = response.read()
            took.append(time.perf_counter() - start)
            if response.status != 200 or said != b"%d" % size:
                raise Failed(f"/{view}: {response.status}, {said[:200]}")
    finally:
        connection.close()
    return took


def load(port, view, count):
    """So many requests, and not one that is broken off: a client that was asked to fetch and then
    left has more to clean up, and some never finish that. (requests, seconds, seconds of each)"""
    size, at_once = VIEWS[view]
    each = max(1, round(count / at_once))
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        took = list(pool.map(lambda _: ask(port, view, size, each), range(at_once)))
    return each * at_once, time.perf_counter() - start, [t for list_ in took for t in list_]


def sample(pid, port, view, count):
    """One turn: µs of processor time a request, and requests a second."""
    with Cpu(pid) as own:
        n, seconds, took = load(port, view, count)
    return {"cpu_us": own.us / n, "rate": n / seconds, "p50_ms": median(took) * 1e3}


def rounds(sites, view, options, tell):
    """Client → its samples, taken in turns."""
    counts = {name: options.seconds * sample(*where, view, 8)["rate"]  # which warms it up, too
              for name, where in sites.items()}
    samples = {name: [] for name in sites}
    for i in range(options.rounds):
        # Forwards, then backwards: nobody always comes after the same one.
        for name in list(sites)[:: 1 if i % 2 == 0 else -1]:
            samples[name].append(sample(*sites[name], view, counts[name]))
        tell(f"{view}, {i + 1} of {options.rounds}: " + ", ".join(
            f"{name} {s[-1]['cpu_us']:.0f} µs" for name, s in samples.items()))
    return samples


def summarized(samples):
    """Client → what it costs above nothing, round by round."""
    base = [s["cpu_us"] for s in samples[NOTHING]]
    summary = {}
    for name, list_ in samples.items():
        added = [s["cpu_us"] - b for s, b in zip(list_, base)]
        summary[name] = {"added_us": quartiles_of(added), "each_added_us": added,
                         **{key: quartiles_of([s[key] for s in list_]) for key in list_[0]}}
    return summary


def measure_under(server, url, daemon, options, tell):
    """View → client → figures."""
    with ExitStack() as stack:
        sites = {c: stack.enter_context(site(server, c, url, daemon)) for c in CLIENTS}
        result = {}
        for view in VIEWS:
            tell(server)
            result[view] = summarized(rounds(sites, view, options, tell))
        return result


def measure(options, tell):
    """Server → view → client → figures."""
    with ExitStack() as stack:
        url = stack.enter_context(origin())
        daemon = start_daemon(options.daemon)
        stack.callback(shutil.rmtree, daemon.directory, True)
        stack.callback(daemon.process.stop)
        return {server: measure_under(server, url, daemon, options, tell) for server in SERVERS}
