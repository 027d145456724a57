"""docs/development.md lists every make target, and docs/api.md every route."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILES = ["Makefile", "docker/docker.mk", "packaging/deb.mk", "packaging/wheel.mk"]
HELPERS = {"sanitized", "fuzzers"}  # for other targets to call


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def declared_targets():
    """What .PHONY names in the makefiles."""
    text = "\n".join(read(path) for path in MAKEFILES).replace("\\\n", " ")
    return {target for line in re.findall(r"^\.PHONY:(.*)$", text, re.M) for target in line.split()}


def documented_targets():
    table = read("docs/development.md").split("## Make targets")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`make.*?) \|", table, re.M)
    return {target for cell in cells for target in re.findall(r"`make ([\w-]+)`", cell)}


def test_development_has_every_make_target_and_no_other():
    assert documented_targets() == declared_targets() - HELPERS


def test_make_help_names_targets_that_exist():
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    named = set(re.findall(r"^make ([a-z][\w-]*)", shown.stdout, re.M))
    assert {"demo", "test", "deb", "wheel"} <= named <= declared_targets()


def routes_of_the_router():
    rows = re.findall(r'\{\s*"(/[^"]*)",\s*"([^"]*)"', read("src/routes/router.c"))
    return {path.replace("*", "NAME"): set(methods.split(", ")) for path, methods in rows}


def routes_of_the_page():
    rows = re.findall(r"^\| `…(/[^`]*)` \| ([A-Z, ]+) \|", read("docs/api.md"), re.M)
    return {path: set(methods.split(", ")) for path, methods in rows}


def test_the_api_page_has_every_route_with_its_methods():
    assert len(routes_of_the_router()) > 9
    assert routes_of_the_page() == routes_of_the_router()


@pytest.mark.parametrize("heading", ["A request key", "A route", "A metric", "A setting",
                                     "An error"])
def test_a_how_to_names_source_documents_and_tests(heading):
    text = read("docs/development.md").split(f"\n### {heading}\n")[1].split("\n##")[0]
    for folder in ("src/", "docs/", "tests/"):
        assert re.search(rf"^\| [^|]*`{folder}", text, re.M), folder
