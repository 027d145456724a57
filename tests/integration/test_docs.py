"""Metric names, files and links in the docs exist, and figures are those that were measured."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from bench import pages
from tests.support.curlewd import ROOT

PAGES = sorted([*(page for folder in (".", "docker", "bench", "examples", "examples/django")
                  for page in (ROOT / folder).glob("*.md")), *(ROOT / "docs").rglob("*.md")])
SITE = "https://github.com/curlew/curlew/blob/main/"


def test_operations_md_lists_every_metric_and_no_other(client):
    text = client.ask("GET", "/metrics").body.decode()
    exposed = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    page = (ROOT / "docs/operations.md").read_text()
    documented = set(re.findall(r"^\| `((?:curlew|process)_\w+)[`{]", page, re.M))
    assert documented == exposed


@pytest.mark.parametrize("page", ["docs/performance.md", "README.md", "README.zh-CN.md"])
def test_the_figures_of_a_page_are_those_of_the_results(page):
    """If not: make bench-publish."""
    text = (ROOT / page).read_text()
    assert "<!-- figures: " in text
    assert pages.fill(text, json.loads((ROOT / "bench/results.json").read_text())) == text


def test_both_readme_have_the_same_figures():
    parts = json.loads((ROOT / "bench/results.json").read_text())
    numbers = [sorted(re.findall(r"\d[\d,.]*\d|\d", pages.readme(parts, language)))
               for language in (pages.ENGLISH, pages.CHINESE)]
    assert numbers[0] == numbers[1]


def anchors(path):
    """GitHub's names for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def links(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_has_a_target(page):
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(Path(target)), link


def test_the_links_of_the_installed_documents_work(tmp_path):
    """`make install`, and so the Debian package, puts them into the same places."""
    subprocess.run([ROOT / "tools/install-docs", tmp_path], check=True)
    pages = sorted(tmp_path.rglob("*.md"))
    assert tmp_path / "README.md" in pages and tmp_path / "docs/api.md" in pages
    for page in pages:
        for link in links(page):
            name, _, anchor = link.partition("#")
            assert not name or (page.parent / name).exists(), (page, link)
        for path in re.findall(rf"\]\({SITE}([^)#]*)", page.read_text()):
            assert (ROOT / path).exists(), (page, path)
