"""The results as pictures: SVG that is readable on a light and on a dark page.

A round's spread is drawn from the lower to the upper quartile.
"""

import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import NullLocator, StrMethodFormatter  # noqa: E402

from bench.doors import BASE, LARGE_POINT  # noqa: E402
from bench.goals import BY_KEY  # noqa: E402
from bench.visits import KINDS  # noqa: E402

OURS = {"fetch": "#2f81f7", "frames": "#1a9c6b", "stream": "#b8860b", "batch": "#a371f7"}
PEER, LINE, GOAL = "#8c959f", "#8c959f", "#e5534b"
# Text of the page's own colour: an <img> can't inherit it, but knows what the reader prefers.
THEME = """text { fill: #1f2328 !important }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 !important } }
"""
plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "curlew", "font.family": "sans-serif", "font.size": 9,
    "axes.edgecolor": LINE, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": LINE, "ytick.color": LINE, "grid.color": LINE, "grid.alpha": 0.3,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "legend.frameon": False, "figure.constrained_layout.use": True})


def thousands(axis):
    """1,000 and not 10³ on a logarithmic axis, and no marks between."""
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.set_minor_locator(NullLocator())


def svg_of(figure):
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = out.getvalue().replace('<style type="text/css">', f'<style type="text/css">{THEME}', 1)
    text = re.sub(r"(\d+\.\d\d)\d+", r"\1", text)  # a hundredth of a point is enough
    text = re.sub(r"font(-family)?: ([^;\"]*?)'[^;\"]*sans-serif", r"font\1: \2sans-serif", text)
    return re.sub(r"^ +| +$", "", text, flags=re.M)


def figures(parts, part):
    return {f["key"]: f for f in parts[part]["figures"]}


def around(q):
    """The bars of an error: from the quartiles to the median."""
    return [[max(0, q["median"] - q["low"])], [max(0, q["high"] - q["median"])]]


def points():
    """(title, key of the point, doors)"""
    three, two = ("fetch", "frames", "stream"), ("fetch", "frames")
    yield "base: HTTP/1.1, 64 in flight, 1 KB", BASE.key, three
    yield "100 in a batch", "http-100-1000", ("batch",)
    yield "TLS", "tls-64-1000", two
    yield "HTTP/2", "h2-64-1000", two
    for n in (1, 16, 256):
        yield f"{n} in flight", f"http-{n}-1000", two
    yield "100 KB", "http-64-100000", three
    yield "10 MB, 4 in flight", LARGE_POINT.key, three


def per_fetch(parts):
    """Bars: how many times the bare loop's CPU time."""
    found = figures(parts, "per_fetch")
    figure, axes = plt.subplots(figsize=(7.5, 6.2))
    y, ticks, seen = 0.0, [], set()
    for title, key, doors in points():
        ticks.append((y + (len(doors) - 1) / 2, title))
        for door in doors:
            f = found[f"per_fetch/{key}/{door}"]
            axes.barh(y, f["ratio"]["median"], height=0.85, color=OURS[door],
                      xerr=around(f["ratio"]), ecolor=LINE,
                      label=door if door not in seen else None)
            goal = BY_KEY.get(f["key"])
            if goal:
                axes.plot([goal.bound] * 2, [y - 0.5, y + 0.5], color=GOAL, linewidth=2,
                          label="goal" if "goal" not in seen else None)
                seen.add("goal")
            seen.add(door)
            y += 1
        y += 0.7
    axes.set_yticks(*zip(*ticks))
    axes.invert_yaxis()
    axes.axvline(1, color=LINE, linewidth=1)
    axes.grid(axis="x")
    axes.set_title("CPU time of a fetch, as a multiple of a bare libcurl loop's")
    axes.legend(loc="lower right")
    return svg_of(figure)


def latency(parts):
    """p50 and p99 by the rate."""
    found = figures(parts, "latency")
    rates = sorted({int(key.split("/")[1]) for key in found if key.split("/")[1].isdigit()})
    names = {"proxy": ("nginx proxy_pass", PEER), "POST fetch": ("fetch", OURS["fetch"]),
             "frames": ("frames", OURS["frames"]), "stream": ("stream", OURS["stream"])}
    figure, both = plt.subplots(1, 2, figsize=(7.5, 3.2))
    for axes, p in zip(both, ("p50", "p99")):
        for name, (words, colour) in names.items():
            of = [found[f"latency/{rate}/{name}/{p}"] for rate in rates]
            axes.plot(rates, [f["median"] for f in of], "o-", color=colour, label=words)
            axes.fill_between(rates, [f["low"] for f in of], [f["high"] for f in of],
                              color=colour, alpha=0.2, linewidth=0)
        axes.set_yscale("log")
        thousands(axes.yaxis)
        axes.set_xticks(rates, [f"{rate:,}" for rate in rates])
        axes.set_xlabel("fetches a second")
        axes.grid()
        axes.set_title(f"{p} latency in µs, 16 connections")
    both[0].legend()
    return svg_of(figure)


def django(parts):
    """Bars: what each client adds to a view, on a logarithmic scale."""
    found = figures(parts, "django")
    panels = list(dict.fromkeys(key.rsplit("/", 1)[0] for key in found))
    figure, all_ = plt.subplots(len(panels), 1, figsize=(7.5, 2.1 * len(panels)), squeeze=False)
    for axes, panel in zip(all_[:, 0], panels):
        clients = [f for key, f in found.items()
                   if key.rsplit("/", 1)[0] == panel and not key.endswith("/nothing")]
        for i, f in enumerate(clients):
            colour = OURS["fetch"] if "/curlew" in f["key"] else PEER
            axes.barh(i, max(f["median"], 1), color=colour, xerr=around(f), ecolor=LINE)
            axes.text(max(f["high"], 1) * 1.05, i, f"{f['median']:,.0f}", va="center", fontsize=8)
        axes.set_yticks(range(len(clients)), [f["what"].partition(": ")[2] for f in clients],
                        fontsize=8)
        axes.invert_yaxis()
        axes.set_xscale("log")
        thousands(axes.xaxis)
        axes.margins(x=0.1)
        axes.grid(axis="x")
        axes.set_title(clients[0]["what"].partition(": ")[0] + ": µs of CPU added to a view")
    return svg_of(figure)


def visits(parts):
    """Before and after: bars of what a view costs with each kind of session."""
    found = figures(parts, "visits")
    panels = {"handshakes": ("TLS handshakes in 1,000 visits", 1),
              "p50": ("p50 of a visit, ms", 1000), "p99": ("p99 of a visit, ms", 1000),
              "cpu": ("CPU of Django for a visit, ms", 1000)}
    figure, all_ = plt.subplots(2, 2, figsize=(7.5, 3), sharey=True)
    for axes, (column, (title, unit)) in zip(all_.flat, panels.items()):
        for i, kind in enumerate(KINDS):
            f = {k: found[f"visits/{kind}/{column}"][k] / unit for k in ("median", "low", "high")}
            axes.barh(i, f["median"], color=OURS["fetch"] if kind == "curlew" else PEER,
                      xerr=around(f), ecolor=LINE)
            words = f"{f['median']:,.0f}" if f["median"] >= 100 else f"{f['median']:.1f}"
            axes.text(f["high"], i, f" {words}", va="center", fontsize=8)
        axes.set_yticks(range(len(KINDS)), [words.removeprefix("a ") for words in KINDS.values()])
        axes.margins(x=0.15)
        axes.grid(axis="x")
        axes.set_title(title, fontsize=9)
    all_[0][0].invert_yaxis()
    return svg_of(figure)


def growth_panel(axes, parts, part, noun, title):
    """The figures PART/NUMBER."""
    chosen = [(int(key.split("/")[1]), f) for key, f in figures(parts, part).items()
              if key.split("/")[0] == part and key.count("/") == 1]
    axes.errorbar([n for n, _ in chosen], [f["median"] for _, f in chosen],
                  yerr=[[around(f)[i][0] for _, f in chosen] for i in (0, 1)], fmt="o-",
                  color=OURS["fetch"], ecolor=LINE)
    axes.set_xscale("symlog", linthresh=1)
    thousands(axes.xaxis)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(noun)
    axes.grid()
    axes.set_title(title)


def growth(parts):
    """How cost grows with what the daemon holds."""
    figure, all_ = plt.subplots(2, 2, figsize=(7.5, 5))
    growth_panel(all_[0][0], parts, "parked", "parked fetches", "memory in MB")
    for axes, part, noun in ((all_[0][1], "origins", "origins"),
                             (all_[1][0], "sessions", "sessions"),
                             (all_[1][1], "cookies", "cookies that were set in a jar")):
        growth_panel(axes, parts, part, noun, "CPU time of a fetch in µs")
    return svg_of(figure)


# File of docs/pictures/ → what draws it, and the parts it needs.
PLOTS = {"performance-per-fetch.svg": (per_fetch, ["per_fetch"]),
         "performance-latency.svg": (latency, ["latency"]),
         "performance-django.svg": (django, ["django"]),
         "performance-before-after.svg": (visits, ["visits"]),
         "performance-growth.svg": (growth, ["parked", "origins", "sessions", "cookies"])}


def draw(parts):
    """File → SVG, of those whose parts were all measured."""
    return {file: plot(parts) for file, (plot, needed) in PLOTS.items()
            if all(name in parts for name in needed)}
