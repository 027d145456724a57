"""Every part of the benchmarks runs, and what it leaves makes the page and the plots."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from bench.goals import GOALS
from bench.plots import PLOTS
from tests.support.curlewd import ROOT

pytestmark = pytest.mark.timeout(400)
PARTS = ["per_fetch", "proxy", "latency", "django", "visits", "impersonate", "parked",
         "origins", "sessions", "cookies", "concurrency", "idle", "streams"]
MOST_BYTES = 100_000  # of a plot


def test_every_part_has_figures(quick):
    assert list(quick.parts) == PARTS
    for name, part in quick.parts.items():
        assert part["figures"], name


def test_every_figure_is_a_number_from_a_round(quick):
    for part in quick.parts.values():
        for f in part["figures"]:
            assert f["values"] and f["low"] <= f["median"] <= f["high"], f


def test_every_goal_has_its_figure(quick):
    measured = {f["key"] for part in quick.parts.values() for f in part["figures"]}
    # A quick run has one server, and parks a hundred fetches.
    left_out = {g.key for g in GOALS if "[standard]" in g.key or g.key.startswith("parked/")}
    assert {g.key for g in GOALS} - left_out <= measured


def test_what_is_printed_is_one_table_with_verdicts(quick):
    rows = [line for line in quick.printed.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert any(row.endswith("| met |") or row.endswith("| **not met** |") for row in rows)
    assert "goals met" in quick.printed


def test_the_page_has_the_figures_of_each_part(quick):
    page = (quick.docs / "performance.md").read_text()
    for name in ["goals", *PARTS]:
        block = page.partition(f"<!-- figures: {name} -->\n")[2].partition("<!-- end -->")[0]
        assert "| measured |" in block, name
    published = page
    again = [sys.executable, ROOT / "bench/publish", quick.file, quick.directory]
    subprocess.run(again, check=True)
    assert (quick.docs / "performance.md").read_text() == published


def test_the_plots_are_small_and_readable_on_dark_pages(quick):
    for file in PLOTS:
        text = (quick.docs / "pictures" / file).read_text()
        assert ET.fromstring(text).tag.endswith("svg")
        assert len(text) < MOST_BYTES, file
        assert "prefers-color-scheme: dark" in text


def test_a_quick_run_is_not_published_as_figures(quick):
    before = (ROOT / "docs/performance.md").read_text()
    done = subprocess.run([sys.executable, ROOT / "bench/publish", quick.file],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "of a quick run" in done.stderr
    assert (ROOT / "docs/performance.md").read_text() == before
