import pytest

from tools.checks import size
from tools.checks.tree import Tree


def findings(path, text):
    return list(size.check(Tree({path: text})))


def function(lines):
    return "static int\nname(void)\n{\n" + "    a();\n" * (lines - 3) + "}\n"


@pytest.mark.parametrize("path", ["src/util/a.c", "include/curlew/a.h", "tests/unit/a.c",
                                  "python/src/a.py", "tools/lint", ".ci/run"])
def test_a_file_has_600_lines_at_most(path):
    assert findings(path, "\n" * 600) == []
    (finding,) = findings(path, "\n" * 601)
    assert finding.startswith(f"{path}:601: 601 lines, more than 600")


@pytest.mark.parametrize("path", ["src/util/a.c", "src/util/a.h", "examples/embed.c"])
def test_a_function_has_40_lines_at_most(path):
    assert findings(path, function(40)) == []
    (finding,) = findings(path, "\n" + function(41))
    assert finding.startswith(f"{path}:3: name has 41 lines, more than 40")


def test_a_test_may_be_a_table():
    assert findings("tests/unit/util/test_a.c", function(41)) == []


def test_each_function_is_counted_alone():
    assert findings("src/util/a.c", function(40) + "\n" + function(40)) == []
    assert len(findings("src/util/a.c", function(40) + "\n" + function(41))) == 1


def test_a_line_has_100_columns_at_most():
    assert findings("src/util/a.c", "a" * 100 + "\n") == []
    (finding,) = findings("src/util/a.c", "\n" + "a" * 101 + "\n")
    assert finding.startswith("src/util/a.c:2: 101 columns, more than 100")


def test_an_exception_is_for_one_place(monkeypatch):
    monkeypatch.setitem(size.EXCEPTIONS, "src/util/a.c:name", (50, "a state machine"))
    assert findings("src/util/a.c", function(50)) == []
    assert len(findings("src/util/b.c", function(50))) == 1
    assert len(findings("src/util/a.c", function(51))) == 1
