"""Prometheus' own checks, and what an expression of its language names."""

import os
import re
import shutil
import subprocess

from .curlewd import ROOT

SELECTOR = re.compile(r"\b((?:curlew|process)_\w+|up)\b(?!\s*\()(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(by|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$", re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OF_A_SCRAPE = {"job", "instance"}


def promtool(*args):
    """Its output; AssertionError if it finds something. tools/deps.sh puts it into .venv."""
    path = os.pathsep.join([str(ROOT / ".venv/bin"), os.environ.get("PATH", "")])
    program = shutil.which("promtool", path=path)
    assert program, "promtool is not there: tools/deps.sh test"
    done = subprocess.run([program, *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exposed(text):
    """What a scrape found: {name: {label: values}}."""
    found = {}
    for name, labels in SAMPLE.findall(text):
        of_name = found.setdefault(name, {})
        for label, value in LABEL.findall(labels):
            of_name.setdefault(label, set()).add(value)
    return found


def selectors(expr):
    """[(name, [(label, operator, value)])]"""
    bare = GROUPING.sub("", expr)
    return [(name, MATCHER.findall(inside)) for name, inside in SELECTOR.findall(bare)]


def grouping(expr, *words):
    """The labels in the parentheses after these words."""
    return {label for word, inside in GROUPING.findall(expr) if word in words
            for label in re.findall(r"\w+", inside)}


def labels_of_result(expr, metrics):
    """Those that a series of the result can have."""
    if kept := grouping(expr, "by"):
        return kept
    labels = {label for name, _ in selectors(expr) for label in metrics.get(name, ())}
    return (labels | OF_A_SCRAPE) - grouping(expr, "ignoring")
