"""The daemon's metrics (…/metrics), and its CPU time as the kernel counts it."""

import os
import re

LINE = re.compile(r"^((?:curlew|process)_\w+(?:\{[^}]*\})?) (\S+)$", re.M)


def read_metrics(daemon):
    """Every value by name and labels: {'curlew_breakers{state="open"}': 1.0, …}"""
    text = daemon.client.get("/metrics").body.decode()
    return {name: float(value) for name, value in LINE.findall(text)}


def read_metric(daemon, name):
    return read_metrics(daemon)[name]


def cpu_seconds(daemon):
    with open(f"/proc/{daemon.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
