from tools.checks import comments
from tools.checks.tree import Tree

LONG = "A line of a comment that goes on until there is no place left behind its very last word"


def findings(*lines):
    return list(comments.check(Tree({"src/util/a.h": "\n".join(lines) + "\n"})))


def test_a_line_of_two_words_in_the_middle_is_torn():
    (finding,) = findings("/*", f" * {LONG}", " * it is", " * and goes on here.", " */")
    assert finding.startswith("src/util/a.h:3: ")


def test_the_last_line_of_a_paragraph_may_be_short():
    assert findings("/*", f" * {LONG}", " * it is.", " *", " * And goes on here.", " */") == []
    assert findings("/*", f" * {LONG}", " * it is.", " */") == []


def test_short_lines_are_free_where_none_was_too_long():
    assert findings("/*", " * One:", " * two", " * three", " */") == []
