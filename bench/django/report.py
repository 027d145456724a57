"""The results as Markdown, and as a picture."""

from html import escape
from math import ceil, floor, log10

NAMES = {"nothing": "fetches nothing", "curlew": "django-curlew", "aiohttp": "aiohttp",
         "curl_cffi": "curl_cffi", "httpx": "httpx"}
TITLES = {"one": "One fetch", "twenty": "Twenty fetches at once"}
GOALS = {"one": {"aiohttp": 1, "curl_cffi": 1 / 2},
         "twenty": {"curl_cffi": 1 / 5, "aiohttp": 1 / 3}}

WIDTH, LEFT, RIGHT, STRIP, HEAD, FOOT = 720, 130, 110, 34, 50, 44
STYLE = """
text { font: 13px sans-serif; fill: #333 } .title { font-size: 15px; font-weight: bold }
.small { font-size: 11px; fill: #777 } .grid { stroke: #ddd } .bar { fill: #b9c8da }
.ours { fill: #4a7ab5 } .dot { fill: #1c3f66; fill-opacity: .4 }
"""


def panels(result):
    """(server, view, its clients)"""
    for server, views in result.items():
        for view, clients in views.items():
            yield server, view, clients


def table(result):
    for server, view, clients in panels(result):
        base = clients["nothing"]["cpu_us"]["median"]
        ours = clients["curlew"]["added_us"]["median"]
        yield f"**{TITLES[view]}**, {server}: CPU time that the fetch adds to each request of"
        yield f"Django's process (without a fetch {base:,.0f} µs), with quartiles\n"
        yield "| client | added CPU time | django-curlew adds | requests a second | latency |"
        yield "|---|---:|---:|---:|---:|"
        for name, s in clients.items():
            if name == "nothing":
                continue
            a, rate, wait = s["added_us"], s["rate"]["median"], s["p50_ms"]["median"]
            share = "" if name == "curlew" else f"{ours / a['median']:.2f} of that"
            yield (f"| {NAMES[name]} "
                   f"| {a['median']:+,.0f} µs ({a['low']:+,.0f} to {a['high']:+,.0f}) "
                   f"| {share} | {rate:,.0f} | {wait:.1f} ms |")
        yield ""


def verdicts(result):
    """(what was to be reached, whether it was)"""
    for server, view, clients in panels(result):
        ours = clients["curlew"]["added_us"]["median"]
        for name, share in GOALS[view].items():
            got = ours / clients[name]["added_us"]["median"]
            words = f"{TITLES[view].lower()}, {server}: at most {share:.2f} of {NAMES[name]}'s cost"
            yield f"{words}, measured {got:.2f}", 0 < got <= share


def text(x, y, words, cls="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{cls}" text-anchor="{anchor}">'
            f"{escape(words)}</text>")


class Panel:
    """One view's clients as bars on a logarithmic scale, each round as a dot."""

    def __init__(self, title, clients, top):
        self.title, self.top = title, top
        self.clients = {name: s for name, s in clients.items() if name != "nothing"}
        values = [s["added_us"]["median"] for s in self.clients.values()]
        self.least = 10 ** floor(log10(max(min(values), 1)))
        self.most = 10 ** ceil(log10(max(values)))
        self.bottom = top + HEAD + STRIP * len(self.clients)

    def x(self, us):
        part = log10(max(us, self.least) / self.least) / log10(self.most / self.least)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def drawn(self):
        yield text(LEFT, self.top + 22, self.title, "title")
        at = self.least
        while at <= self.most:
            yield (f'<line x1="{self.x(at):.1f}" y1="{self.top + HEAD - 10}" x2="{self.x(at):.1f}" '
                   f'y2="{self.bottom}" class="grid"/>')
            yield text(self.x(at), self.bottom + 14, f"{at:,.0f} µs", "small", "middle")
            at *= 10
        for i, (name, s) in enumerate(self.clients.items()):
            yield from self.strip(name, s, self.top + HEAD + STRIP * i + STRIP / 2)

    def strip(self, name, s, y):
        us = s["added_us"]["median"]
        cls = "ours" if name == "curlew" else "bar"
        yield (f'<rect x="{LEFT}" y="{y - 9:.1f}" width="{self.x(us) - LEFT:.1f}" height="18" '
               f'class="{cls}"/>')
        for i, value in enumerate(s["each_added_us"]):
            at = y + (i % 5 - 2) * 3  # so that equal rounds do not hide each other
            yield f'<circle cx="{self.x(value):.1f}" cy="{at:.1f}" r="3" class="dot"/>'
        yield text(LEFT - 10, y + 4, NAMES[name], "", "end")
        yield text(WIDTH - RIGHT + 10, y + 4, f"{us:,.0f} µs")


def picture(result):
    """An SVG."""
    parts, top = [], 0
    for server, view, clients in panels(result):
        panel = Panel(f"{TITLES[view]}, {server}", clients, top)
        parts += panel.drawn()
        top = panel.bottom + FOOT
    words = "CPU time of Django's process that the fetch adds to each request of a view"
    parts.append(text(WIDTH / 2, top, words, "small", "middle"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 14}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")
