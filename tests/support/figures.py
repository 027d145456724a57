"""What the daemon says of itself in …/metrics."""

import re

LINE = re.compile(r"^(curlew_\w+(?:\{[^}]*\})?) (\S+)$", re.M)


def figures(daemon):
    """Every figure by its name, labels and all: {'curlew_breakers{state="open"}': 1.0, …}"""
    return {name: float(value) for name, value in LINE.findall(daemon.way.get("/metrics").body.decode())}


def figure(daemon, name):
    return figures(daemon)[name]
