"""Before and after: a view that fetches over TLS, with the sessions people have and with Curlew.

Four workers, each a Django under uvicorn, are visited by eight visitors at once. The three kinds
take turns, round after round. The origin counts its connections, each of which is a TLS handshake
for both sides.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import quantiles

from bench.django.measure import ask, site
from bench.figures import figure
from bench.process_usage import Cpu
from bench.setup import KB, Stage, origin
from bench.turns import column_of, take_turns

WORKERS, VISITORS = 4, 8
SERVER = "uvicorn"
# As in bench/django/project.py → words.
KINDS = {"curl_cffi_per_request": "a new session in each view",
         "curl_cffi": "a session for each worker",
         "curlew": "Curlew"}
BEFORE = next(iter(KINDS))
COLUMNS = {"p50": "p50 of a visit", "p99": "p99 of a visit",
           "cpu": "CPU of Django's processes for a visit"}
HANDSHAKES_UNIT = "in 1,000 visits"


class Workers:
    """The workers of one kind, and how many connections the origin has seen of them."""

    def __init__(self, stack, kind, origin_, stage):
        url = origin_.url("tls")
        sites = [stack.enter_context(site(SERVER, kind, url, stage, trust=origin_.ca))
                 for _ in range(WORKERS)]
        self.pids, self.ports = zip(*sites)
        self.origin = origin_
        self.visits = self.connections = 0

    def visit(self, count):
        """So many, shared out among visitors; the seconds that each took."""
        before = self.origin.connections()
        each = max(1, round(count / VISITORS))
        with ThreadPoolExecutor(VISITORS) as pool:
            took = pool.map(lambda i: ask(self.ports[i % WORKERS], "one", KB, each),
                            range(VISITORS))
            seconds = [s for one in took for s in one]
        self.connections += self.origin.connections() - before
        self.visits += len(seconds)
        return seconds

    def sample(self, count):
        with Cpu(*self.pids) as own:
            seconds = self.visit(count)
        cuts = quantiles(seconds, n=100, method="inclusive")
        return {"p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6, "cpu": own.us / len(seconds)}


def figures_of(workers, samples):
    for kind, words in KINDS.items():
        own = workers[kind]
        yield figure(f"visits/{kind}/handshakes", f"TLS handshakes at the origin: {words}",
                     HANDSHAKES_UNIT, [own.connections / own.visits * 1000])
    for column, what in COLUMNS.items():
        before = column_of(samples, BEFORE, column)
        for kind, words in KINDS.items():
            beside = (KINDS[BEFORE], before) if kind != BEFORE else ()
            yield figure(f"visits/{kind}/{column}", f"{what}: {words}", "µs",
                         column_of(samples, kind, column), *beside)


def measure(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stage = stack.enter_context(Stage(options.daemon, origin_=origin_))
        workers = {kind: Workers(stack, kind, origin_, stage) for kind in KINDS}
        for each in workers.values():
            each.visit(VISITORS * 4)  # the first ones import and connect
        subjects = {kind: lambda w=w: w.sample(options.visits) for kind, w in workers.items()}
        samples = take_turns(subjects, options.rounds, tell, "cpu")
        return list(figures_of(workers, samples))
