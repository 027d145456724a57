"""docs/architecture.md names what is there: its paths exist, and its tree leaves nothing out."""

import re
from pathlib import Path

import pytest

from tools.checks.folders import LAYERS

ROOT = Path(__file__).parents[2]
PAGES = ["architecture.md", "development.md"]
TOP = "src|include|docs|tests|tools|python|bench|examples|docker|packaging|man"
QUESTIONS = {
    "records parsed": "src/fastcgi/record_parser.c",
    "limit of a request's body": "src/fastcgi/request_reader.c",
    "rate limiter": "src/limits/token_bucket.c",
    "circuit breaker": "src/limits/circuit_breaker.c",
    "attempt retried": "src/fetch/retry.c",
    "handoffs stored": "src/routes/handoff_store.c",
    "idle connections": "src/transfer/connection_pool.c",
    "error of libcurl": "src/transfer/curl_result.c",
    "cookie jar": "src/session/cookie_jar.c",
    "JSON error": "src/message/json_path.c",
}


def text_of(page):
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def paths_of(text):
    return re.findall(rf"`((?:{TOP})/[\w./-]*)`", text)


def section(text, heading):
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def tree_of(text):
    """The table of folders: {folder: its modules}."""
    rows = re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|$", section(text, "Source tree"), re.M)
    return {folder: re.findall(r"`(\w+)`", cell) for folder, cell in rows}


def modules_of(folder):
    return {file.stem for file in (ROOT / "src" / folder).glob("*.[ch]")}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_named_exists(page):
    paths = paths_of(text_of(page))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tree_has_every_folder_and_no_other():
    folders = {folder.name for folder in (ROOT / "src").iterdir() if folder.is_dir()}
    assert set(tree_of(text_of("architecture.md"))) == folders
    assert "`src/main.c`" in text_of("architecture.md")


def test_the_tree_is_in_the_order_of_the_layers():
    assert list(tree_of(text_of("architecture.md"))) == [
        folder for layer in LAYERS[1:] for folder in layer]


@pytest.mark.parametrize("folder", sorted(f.name for f in (ROOT / "src").iterdir() if f.is_dir()))
def test_the_tree_has_every_module_of_a_folder_and_no_other(folder):
    named = tree_of(text_of("architecture.md"))[folder]
    assert len(named) == len(set(named))
    assert set(named) == modules_of(folder)


def test_a_request_takes_ten_steps_and_each_names_a_file():
    steps = re.split(r"^\d+\. ", section(text_of("architecture.md"), "The way of a request"),
                     flags=re.M)[1:]
    assert len(steps) == 10
    assert [step for step in steps if not re.search(r"`src/\w+/\w+\.[ch]`", step)] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_leads_to_its_file(question):
    rows = [row for row in section(text_of("architecture.md"), "Where to look").splitlines()
            if question in row]
    assert len(rows) == 1
    assert f"`{QUESTIONS[question]}`" in rows[0]
