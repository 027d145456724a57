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

from bench.figures import Failed, figure
from bench.process_usage import Cpu
from bench.setup import KB, Stage, origin
from bench.turns import column_of, take_turns
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.web_servers import PACKAGE

HERE = Path(__file__).parent
NOTHING, OURS = "nothing", "curlew"
NAMES = {"curlew": "django-curlew, FastCGI socket", "curlew_nginx": "django-curlew through nginx",
         "curl_cffi": "curl_cffi, one session",
         "curl_cffi_per_request": "curl_cffi, a session each",
         "aiohttp": "aiohttp", "httpx": "httpx", "pyreqwest": "pyreqwest", "wreq": "wreq"}
PEERS = [name for name in NAMES if not name.startswith(OURS)]
VIEWS = {"one": ("one fetch", KB, 8), "twenty": ("20 URLs", 20 * KB, 4)}  # bytes, requests at once
UVICORN = ["-m", "uvicorn", "--log-level", "warning", "--no-access-log", "--port"]
SERVERS = {  # as pip installs it, and with its extras: another event loop, another parser
    "uvicorn": ["--loop", "asyncio", "--http", "h11"],
    "uvicorn[standard]": ["--loop", "uvloop", "--http", "httptools"],
}


@contextmanager
def site(server, client, url, stage, trust=None):
    """(pid, port) of a Django whose views fetch with `client`, which trusts that file's CA."""
    directory, port = temp_dir("curlew-bench-"), free_port()
    mount = stage.nginx.url + "/_fetch" if client == "curlew_nginx" else \
        f"fcgi+unix:{stage.daemon.socket}"
    env = {"CLIENT": client, "ORIGIN": url, "ORIGIN_SIZE": str(KB), "CURLEW_URL": mount,
           "ORIGIN_CA": trust and str(trust), "PYTHONPATH": str(PACKAGE),
           "DJANGO_SETTINGS_MODULE": None}
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
    _, size, at_once = VIEWS[view]
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


def subjects(sites, view, options):
    """Client → a function that takes a sample of about the time of a turn."""
    all_ = {}
    for name, where in sites.items():
        sample(*where, view, 8)  # the first ones import and connect
        count = options.django_seconds * sample(*where, view, 8)["rate"]
        all_[name] = lambda where=where, count=count: sample(*where, view, count)
    return all_


def figures_of(server, view, samples):
    """What each client adds to the view that fetches nothing, beside the cheapest of our peers.

    The cheapest is one client, by its median, so that noise doesn't choose another each round.
    """
    base = column_of(samples, NOTHING, "cpu_us")
    added = {name: [us - b for us, b in zip(column_of(samples, name, "cpu_us"), base)]
             for name in NAMES}
    cheapest = min(PEERS, key=lambda name: median(added[name]))
    words, key = VIEWS[view][0], f"django/{server}/{view}"
    yield figure(f"{key}/nothing", f"{words}, {server}: an empty view", "µs", base)
    for name, us in added.items():
        beside = (NAMES[cheapest], added[cheapest]) if name != cheapest else ()
        yield figure(f"{key}/{name}", f"{words}, {server}: {NAMES[name]}", "µs", us, *beside,
                     paired=False)


def measure(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stage = stack.enter_context(Stage(options.daemon, origin_=origin_))
        found = []
        for server in options.servers or SERVERS:
            with ExitStack() as sites_stack:
                sites = {c: sites_stack.enter_context(site(server, c, origin_.url(), stage))
                         for c in (NOTHING, *NAMES)}
                for view in VIEWS:
                    tell(f"Django under {server}, {VIEWS[view][0]}")
                    samples = take_turns(subjects(sites, view, options), options.rounds, tell)
                    found += figures_of(server, view, samples)
        return found
