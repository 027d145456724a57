"""docs/reliability.md: every row says what happens and names a test that exists, or a fault of
tests/faults/origins, all of which stand there."""

import re
from pathlib import Path

import pytest

from tests.faults.origins import FAULTS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w./-]+\.(?:py|c))::(\w+)`|`(tests/(?:soak/|fuzz/\w+\.c))`")
ORIGINS = "## Origins and proxies\n"


def rows(text):
    """The cells of each row but the headings and the rules below them."""
    lines = text.splitlines()
    for line, below in zip(lines, [*lines[1:], ""]):
        if line.startswith("|") and not line.startswith("|---") and not below.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def part(start):
    """From a heading of level 2 to the next one."""
    return TEXT.split(start)[1].split("\n## ")[0]


ROWS = [row for row in rows(TEXT.replace(part(ORIGINS), ""))]


def test_the_page_has_every_fault_of_an_origin_in_its_order():
    on_the_page = [row[0] for row in rows(part(ORIGINS))]
    assert sorted(on_the_page) == sorted(fault.name for fault in FAULTS)


def test_the_page_has_rows():
    assert len(ROWS) > 60


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_says_what_happens_and_names_a_test(row):
    assert len(row) == 3 and all(row), row
    named = NAMED.findall(row[2])
    assert named, row
    for path, name, whole in named:
        source = ROOT / (path or whole)
        assert source.exists(), source
        if name:
            assert re.search(rf"def {name}\(", source.read_text(encoding="utf-8")), (path, name)
