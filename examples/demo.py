"""`make demo`: Django views fetch, as people do it today and then through Curlew; what it costs.

Each row is measured as it is printed: the wall time of a whole view, seen by its visitor, and the
connections that the origin has seen. A connection costs the origin and us a TLS handshake.
"""

import json
import statistics
import sys
import time
import urllib.error

from stack import WITHOUT_PROXY, DemoError, Stack, leave_when_told

VISITS = 20
PAGES = "?page=about.html&page=news.json&page="
SLOW = "?page=slow.html&page=slow.html&page=slow.html"
TODAY = [  # what is said about it, and its path
    ("a new session in each view", "/today/new-session/" + PAGES),
    ("one session for the process", "/today/shared-session/" + PAGES),
]
CURLEW = [
    ("sync view", "/sync/about.html"),
    ("async view, one by one", "/one-by-one/" + PAGES),
    ("async view, gather", "/together/" + PAGES),
]
ROW = "  {:<15} {:<28} {:>7} {:>7} {:>12} {:>12}"


class Visits:
    """A view visited again and again: how long each took, what failed, what the origin saw."""

    def __init__(self, stack, url, count=VISITS):
        self.count, self.failures, self.seconds, self.facts = count, [], [], []
        before = stack.origin_stats()["connections"]
        for _ in range(count):
            start = time.monotonic()
            self.visit(url)
            self.seconds.append(time.monotonic() - start)
        self.connections = stack.origin_stats()["connections"] - before

    def visit(self, url):
        try:
            with WITHOUT_PROXY.open(url, timeout=60) as response:
                self.facts = json.load(response)
        except urllib.error.HTTPError as error:
            self.failures.append(error.read().decode())
        except OSError as error:
            self.failures.append(str(error))

    @property
    def median(self):
        return statistics.median(self.seconds)


def heading(stack, title):
    print(f"\n{title}\n")
    print(ROW.format("Django under", "", "visits", "failed", "connections", "time a visit"))


def show(stack, views):
    """Visit every view under both servers and print a row for each; the Visits."""
    for server, url in (("uvicorn, ASGI", stack.uvicorn), ("gunicorn, WSGI", stack.gunicorn)):
        for label, path in views:
            visits = Visits(stack, url + path)
            print(ROW.format(server, label, visits.count, len(visits.failures), visits.connections,
                             f"{1000 * visits.median:.1f} ms"), flush=True)
            for text in sorted(set(map(shorten, visits.failures))):
                print(f"      {text}")
            yield visits


def shorten(failure):
    """The error of a view, as it comes; a long one without its middle."""
    text = json.loads(failure)["error"] if failure.startswith('{"error"') else failure
    return text if len(text) < 90 else f"{text[:24]} … {text[-60:]}"


def show_slow(stack):
    """Three pages of a slow origin, one by one and together; the two times."""
    print("\nThree pages of an origin that takes a second for each, in one async view:\n")
    times = []
    for label, path in (("await, three times", "/one-by-one/"), ("gather", "/together/")):
        visits = Visits(stack, stack.uvicorn + path + SLOW, 1)
        times.append(visits.median)
        bar = "▇" * round(12 * visits.median)
        print(f"  {label:<20} {visits.median:5.2f} s   {bar}", flush=True)
        if visits.failures:
            raise DemoError(visits.failures[0])
    return times


def show_guard(stack):
    """A URL into the network, as an attacker would have it fetched."""
    url = "http://169.254.169.254/latest/meta-data/"
    visits = Visits(stack, f"{stack.uvicorn}/try/?url={url}", 1)
    if not visits.failures or '"blocked"' not in visits.failures[0]:
        raise DemoError(f"{url} was not blocked: {visits.failures or visits.facts}")
    print(f"\nA user's URL into the network, {url}:\n")
    print(f"  {json.loads(visits.failures[0])['detail']}")


def judge(curlew, times):
    """What a demo that works must have shown."""
    for visits in curlew:
        if visits.failures:
            raise DemoError(f"a view failed: {visits.failures[0]}")
    if sum(visits.connections for visits in curlew) >= sum(visits.count for visits in curlew) / 4:
        raise DemoError("connections were not reused")
    if times[1] > 0.7 * times[0]:
        raise DemoError(f"gather took {times[1]:.2f} s, one by one {times[0]:.2f} s")


def demo(stack):
    print(f"Django fetches pages of {stack.origin}, over TLS. Each view but the sync one fetches")
    print(f"three. It is visited {VISITS} times, one after the other.")
    try:
        heading(stack, "As people do it today, with curl_cffi (examples/django/project/today.py):")
        today = list(show(stack, TODAY))
        heading(stack, "Through Curlew (examples/django/project/views.py):")
        curlew = list(show(stack, CURLEW))
        times = show_slow(stack)
        show_guard(stack)
        stack.check()
        judge(curlew, times)
    except DemoError as error:
        raise DemoError(f"{error}\n{stack.logs()}") from None
    sums = [(sum(v.count for v in each), sum(len(v.failures) for v in each),
             sum(v.connections for v in each)) for each in (today, curlew)]
    print("\n  Today:  {} visits, {} failed; connections opened at the origin: {}".format(*sums[0]))
    print("  Curlew: {} visits, {} failed; connections opened at the origin: {}".format(*sums[1]))


def main():
    leave_when_told()
    try:
        with Stack() as stack:
            demo(stack)
    except KeyboardInterrupt:
        return 130
    except DemoError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    print("\n  All is stopped again; `make run` keeps it up for you to try.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
