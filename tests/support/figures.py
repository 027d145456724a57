"""What the daemon says of itself in …/metrics, and what the kernel says of it."""

import os
import re

LINE = re.compile(r"^(curlew_\w+(?:\{[^}]*\})?) (\S+)$", re.M)


def figures(daemon):
    """Every figure by its name, labels and all: {'curlew_breakers{state="open"}': 1.0, …}"""
    text = daemon.client.get("/metrics").body.decode()
    return {name: float(value) for name, value in LINE.findall(text)}


def figure(daemon, name):
    return figures(daemon)[name]


def cpu_seconds(daemon):
    with open(f"/proc/{daemon.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
