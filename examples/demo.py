"""`make demo`: a sync and an async Django view fetch pages, under ASGI and WSGI; what happened."""

import json
import sys
import urllib.error

from stack import WITHOUT_PROXY, DemoError, Stack, leave_when_told

PAGES = "?page=&page=about.html&page=news.json"
VIEWS = [  # what is said about it, and its path
    ("sync view", "/sync/about.html"),
    ("sync view again", "/sync/about.html"),
    ("async view", "/async/news.json"),
    ("async view again", "/async/news.json"),
    ("three, one by one", "/one-by-one/" + PAGES),
    ("three, together", "/together/" + PAGES),
]
ROW = "  {:<16} {:<19} {:<13} {:>6} {:>5}   {:<10} {:>9}"


def ask(url):
    """What the view says that it fetched: a list of facts, one a page."""
    try:
        with WITHOUT_PROXY.open(url, timeout=60) as response:
            facts = json.load(response)
    except urllib.error.HTTPError as error:
        raise DemoError(f"{url} answered {error.code}: {error.read().decode()}") from None
    except OSError as error:
        raise DemoError(f"{url}: {error}") from None
    return facts if isinstance(facts, list) else [facts]


def row(server, label, facts):
    """One line of the report; pages that were fetched alike share it."""
    pages = [f["url"].rsplit("/", 1)[1] or "/" for f in facts]
    reused = sum(f["connection_reused"] for f in facts)
    connection = "reused" if reused == len(facts) else "new"
    return ROW.format(
        server,
        label,
        pages[0] if len(pages) == 1 else f"{len(pages)} pages",
        "/".join(sorted({str(f["status"]) for f in facts})),
        "/".join(sorted({f["http_version"] for f in facts})),
        connection if reused in (0, len(facts)) else f"{reused} of {len(facts)} reused",
        f"{sum(f['milliseconds'] for f in facts):.1f} ms",
    )


def visit(stack):
    """Ask every view under both servers and print a row for each; all that was fetched."""
    fetched = []
    print(ROW.format("Django under", "", "page", "status", "HTTP", "connection", "time"))
    for server, url in (("uvicorn, ASGI", stack.uvicorn), ("gunicorn, WSGI", stack.gunicorn)):
        for label, path in VIEWS:
            facts = ask(url + path)
            print(row(server, label, facts), flush=True)
            fetched += facts
    return fetched


def judge(fetched, stats):
    """What a demo that works must have shown."""
    for f in fetched:
        if f["status"] != 200 or not f["body"]:
            raise DemoError(f"{f['url']} came back with status {f['status']}, {f['bytes']} bytes")
    if stats["requests"] != len(fetched):
        raise DemoError(f"the origin saw {stats['requests']} requests, the views {len(fetched)}")
    if stats["connections"] >= len(fetched) or not fetched[-1]["connection_reused"]:
        raise DemoError("no connection was used twice")


def demo(stack):
    print(f"Django fetches pages of {stack.origin} through curlewd, over its FastCGI socket")
    print("and through nginx.\n")
    try:
        fetched = visit(stack)
        stack.check()
        stats = stack.origin_stats()
        judge(fetched, stats)
    except DemoError as error:
        raise DemoError(f"{error}\n{stack.logs()}") from None
    news = next(f for f in fetched if f["url"].endswith("news.json"))
    print(f"\n  news.json, as the async view got it:\n\n    {news['body'].strip()}\n")
    seen = stats["connections"]
    print(f"  {len(fetched)} fetches from views under two servers; the origin saw", end=" ")
    print(f"{seen} connections." if seen > 1 else "one connection.")


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
    print("  All is stopped again; `make run` keeps it up for you to try.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
