"""How cost grows with what the daemon holds: parked fetches, origins, sessions, cookies."""

import copy
import json
import socket
from contextlib import ExitStack, contextmanager, suppress

from bench.doors import BASE
from bench.figures import Failed, figure
from bench.process_usage import Cpu, resident_mb
from bench.setup import HOST_COOKIES, KB, Stage, delayed_origin, origin, start_daemon
from bench.turns import column_of, take_turns
from tests.support import fcgi
from tests.support.metrics import read_metric
from tests.support.procs import temp_dir, wait_until

ROUTE = "/_fetch/v1/fetch"
PARK_SECONDS = 300  # longer than it takes to park them all
MOST_PARKED = 10000
IDLE_CONNECTIONS = 256  # of a session, by default
SPARE = 10  # connections, to look at the metrics


# -- parked fetches: what they take of memory ----------------------------------


def park(daemon, request, count):
    """`count` connections to the daemon, each with a fetch that is not answered yet."""
    socks = []
    for _ in range(count):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(daemon.socket))
        s.sendall(request)
        socks.append(s)
    return socks


def counts_to_park(options, daemon):
    """As many as the daemon may have connections, where the limit of open files is low."""
    share = daemon.client.get("/v1/status").json()["open_files"]["gateway"] - SPARE
    return sorted({min(n, share) for n in options.counts([1, 100, 1000, 9000, MOST_PARKED])})


def count_parked(daemon):
    with suppress(BlockingIOError):  # more wait to be accepted than the socket's backlog holds
        return read_metric(daemon, "curlew_parked")


def once_parked(options, tell):
    most = MOST_PARKED
    config = {"limits": {"in_flight": most, "queue": most, "buffered_bytes": 1 << 30},
              "sessions": {"default": {"max_in_flight": most, "max_per_origin": most,
                                       "timeout": PARK_SECONDS}}}
    found, socks = {}, []
    with ExitStack() as stack:
        url = stack.enter_context(delayed_origin(PARK_SECONDS))
        daemon = start_daemon(options.daemon, config)
        stack.callback(daemon.process.stop)
        body = json.dumps({"url": url, "timeout": PARK_SECONDS}).encode()
        request = fcgi.request(fcgi.cgi_params("POST", ROUTE, "", body,
                                               [("Content-Type", "application/json")]), body)
        counts = counts_to_park(options, daemon)
        found[0] = resident_mb(daemon.pid)
        for n in counts:
            socks += park(daemon, request, n - len(socks))
            wait_until(f"{n} parked", lambda n=n: count_parked(daemon) == n, 60, 0.1)
            found[n] = resident_mb(daemon.pid)
        tell("parked: " + ", ".join(f"{n:,} {mb:.1f} MB" for n, mb in found.items()))
        for s in socks:
            s.close()
    return found


def parked(options, tell):
    runs = [once_parked(options, tell) for _ in range(min(options.rounds, options.repeats))]
    return [figure(f"parked/{n}", f"memory, {n:,} parked", "MB", [run[n] for run in runs])
            for n in runs[0]]


# -- the others: what they add to each fetch -----------------------------------


@contextmanager
def bodies_file(bodies):
    path = temp_dir("curlew-bench-") / "bodies"
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    yield path


def ask(stage, path, options):
    with Cpu(stage.pid) as own:
        r = stage.wrk(ROUTE, seconds=options.seconds, connections=BASE.in_flight, bodies=path)
    return {"cpu_us": own.us / r["requests"], "mb": resident_mb(stage.pid)}


def check(stage, body):
    envelope = stage.nginx.fetch(**body)
    if envelope["status"] != 200 or envelope["body_bytes"] != KB:
        raise Failed(f"not our page: {envelope}")


def grow(part, noun, stages, bodies, options, tell):
    """CPU and memory by number. `stages`: number → stage; `bodies`: number → request objects."""
    with ExitStack() as stack:
        paths = {n: stack.enter_context(bodies_file(list_)) for n, list_ in bodies.items()}
        for n, list_ in bodies.items():
            check(stages[n], list_[-1])
            if options.rounds > 1:
                ask(stages[n], paths[n], options)  # which opens the connections
        all_ = {n: (lambda n=n: ask(stages[n], paths[n], options)) for n in paths}
        samples = take_turns(all_, options.growth_rounds, tell)
    least = min(bodies)
    base = column_of(samples, least, "cpu_us")
    for n in bodies:
        beside = () if n == least else (f"{least:,}", base)
        yield figure(f"{part}/{n}", f"POST fetch, {n:,} {noun}", "µs",
                     column_of(samples, n, "cpu_us"), *beside)
        yield figure(f"{part}/{n}/memory", f"memory, {n:,} {noun}", "MB",
                     column_of(samples, n, "mb"))


def origins(options, tell):
    """Addresses of 127.0.0.0/8, asked in turn; each keeps its connection while there is room: as
    open files allow, then as the session's default allows."""
    counts = options.counts([1, 10, 100, 1000, 10000])
    roomy = {"sessions": {"default": {"idle_connections": counts[-1]}}}
    return [*ask_origins("origins", "origins", counts, roomy, options, tell),
            *ask_origins("origins-default", f"origins, {IDLE_CONNECTIONS} idle connections",
                         options.counts([100, 1000]), {}, options, tell)]


def ask_origins(key, noun, counts, config, options, tell):
    def hosts(count):
        return (f"127.2.{i // 250}.{i % 250 + 1}" for i in range(count))
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stages = {n: stack.enter_context(Stage(options.daemon, copy.deepcopy(config), origin_))
                  for n in counts}
        bodies = {n: [{"url": origin_.url(host=host)} for host in hosts(n)] for n in counts}
        return list(grow(key, noun, stages, bodies, options, tell))


def sessions(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        counts = options.counts([1, 10, 100, 1000])
        stages = {n: stack.enter_context(Stage(options.daemon, origin_=origin_, config={
            "sessions": {f"s{i}": {"cookie_jar": "shared"} for i in range(n)}})) for n in counts}
        bodies = {n: [{"url": origin_.url(), "session": f"s{i}"} for i in range(n)]
                  for n in counts}
        return list(grow("sessions", "sessions", stages, bodies, options, tell))


def fill_jar(stage, origin_, count):
    """So many cookies, fifty of a host; the page's own host gets none of them."""
    for i in range(max(1, count // HOST_COOKIES)):
        response = stage.nginx.post({"url": origin_.cookies_url(i), "session": "jar"})
        if response.status != 200 or len(response.json()["cookies"]) != HOST_COOKIES:
            raise Failed(f"no cookies: {response}")


def cookies(options, tell):
    """A jar holds 3,000 at most; of 10,000 that were set the last ones are there."""
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        counts = options.counts([0, 50, 100, 1000, 3000, 10000])
        stages = {n: stack.enter_context(Stage(options.daemon, origin_=origin_, config={
            "sessions": {"jar": {"cookie_jar": "shared"}}})) for n in counts}
        for n in counts:
            if n > 0:
                fill_jar(stages[n], origin_, n)
        bodies = {n: [{"url": origin_.url(), "session": "jar"}] for n in counts}
        return list(grow("cookies", "cookies were set", stages, bodies, options, tell))
