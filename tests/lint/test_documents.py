"""The documents: tables have headings, and the terms are those of docs/glossary.md."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the field writes otherwise, and how.
WORDS = {
    r"time-?out": "timeout",
    r"hand-?off": "handoff",
    r"back-?pressure": "backpressure",
    r"polite(ness)?": "rate limit",
    r"look-?up": "look-up",
}


def files(*patterns):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in sorted(set(listed.stdout.split())) if (ROOT / path).is_file()]


PAGES = files("*.md")
PROSE = PAGES + files("man/*", "examples/*.conf", "examples/*.cfg", "examples/caddy/*")


def prose_of(path):
    """The text without code, links' targets and macros, where names stay as they are."""
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)


def headings_of(text):
    """The first row of each table, as its cells."""
    lines = text.split("\n")
    return [[cell.strip() for cell in above.strip("|").split("|")]
            for above, line in zip(lines, lines[1:]) if re.fullmatch(r"(\|-+)+\|", line)]


def wrong_words(text):
    return [found[0] for pattern, right in WORDS.items()
            for found in re.finditer(rf"\b{pattern}s?\b", text, re.I)
            if found[0].lower().removesuffix("s") != right]


@pytest.mark.parametrize("page", PAGES)
def test_every_column_of_a_table_has_a_heading(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [row for row in headings_of(text) if "" in row] == []


def test_a_heading_that_is_missing_is_found():
    assert headings_of("text\n\n| a | |\n|---|---|\n| b | c |\n") == [["a", ""]]


@pytest.mark.parametrize("path", PROSE)
def test_terms_are_spelled_as_in_the_glossary(path):
    assert wrong_words(prose_of(path)) == []


def test_a_wrong_spelling_is_found():
    assert wrong_words("a time-out, two hand-offs, Back-pressure") == [
        "time-out", "hand-offs", "Back-pressure"]
    assert wrong_words("timeouts, a handoff, Backpressure, look-ups") == []
