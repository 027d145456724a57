"""How much passes through the daemon, beside nginx' own proxy: the same nginx, the same origin."""

from contextlib import ExitStack
from dataclasses import replace

from bench.doors import BASE, FETCH, IN_FRAMES, LARGE_POINT, STREAM, ask_door, ask_proxy, check
from bench.figures import figure
from bench.setup import KB, Stage, origin
from bench.turns import column_of, take_turns

PROXY = "proxy_pass"
# The point, the doors, and where nginx has the daemon and its own proxy.
PLAN = [("buffered", BASE, [FETCH, IN_FRAMES, STREAM], "/_fetch", "/proxy/"),
        ("buffered", replace(BASE, size=100 * KB), [STREAM], "/_fetch", "/proxy/"),
        ("buffered", LARGE_POINT, [STREAM], "/_fetch", "/proxy/"),
        ("unbuffered", LARGE_POINT, [STREAM], "/_unbuffered", "/proxy_unbuffered/")]


def subjects(stage, point, doors, mount, proxy, origin_, options):
    url = point.url(origin_)
    all_ = {PROXY: lambda: ask_proxy(stage, proxy, point, options)}
    for door in doors:
        check(stage, door, url, point.size, mount)
        all_[door.name] = lambda door=door: ask_door(stage, door, url, point, options, mount)
    return all_


def figures_of(how, point, doors, samples):
    column, unit = ("rate", "a second") if point.size < 100 * KB else ("mb_s", "MB/s")
    words = f"{point.words}, {how}"
    base, path = column_of(samples, PROXY, column), column_of(samples, PROXY, "path_us")
    key = f"proxy/{point.key}/{how}"
    yield figure(f"{key}/proxy", f"{PROXY}, {words}", unit, base)
    for door in doors:
        yield figure(f"{key}/{door.name}", f"{door.name}, {words}", unit,
                     column_of(samples, door.name, column), PROXY, base)
    yield figure(f"{key}/proxy/cpu", f"CPU of nginx, {PROXY}, {words}", "µs", path)
    for door in doors:
        yield figure(f"{key}/{door.name}/cpu", f"CPU of nginx and curlewd, {door.name}, {words}",
                     "µs", column_of(samples, door.name, "path_us"), PROXY, path)


def measure(options, tell):
    with ExitStack() as stack:
        origin_ = stack.enter_context(origin())
        stage = stack.enter_context(Stage(options.daemon, origin_=origin_))
        found = []
        for how, point, doors, mount, proxy in PLAN:
            tell(f"{PROXY}, {point.words}, {how}")
            all_ = subjects(stage, point, doors, mount, proxy, origin_, options)
            samples = take_turns(all_, options.rounds, tell, "mb_s", "MB/s")
            found += figures_of(how, point, doors, samples)
        return found
