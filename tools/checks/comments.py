"""No torn comment: a line of a word or two in the middle of a paragraph, behind a long line.

A formatter leaves such lines where it breaks a line that is too long without filling the next one.
"""

import re
from collections.abc import Iterator

from .tree import Tree

LONG, SHORT = 80, 30  # columns of the line before, and characters of the torn one
CONTINUED = re.compile(r"\s*/?\*+ *\S")
TEXT = re.compile(r"\s*\* (\S.*)")


def check(tree: Tree) -> Iterator[str]:
    for path in tree.paths(r"(src|include|tests|bench|examples)/.*\.[ch]"):
        lines = tree.lines(path)
        for number, (before, line, behind) in enumerate(zip(lines, lines[1:], lines[2:]), 2):
            if is_torn(before, line, behind):
                yield f"{path}:{number}: a torn comment line; fill the paragraph again"


def is_torn(before: str, line: str, behind: str) -> bool:
    this, following = TEXT.fullmatch(line), TEXT.fullmatch(behind)
    return (
        CONTINUED.match(before) is not None
        and "*/" not in before
        and len(before) > LONG
        and this is not None
        and len(this[1]) < SHORT
        and following is not None
        and "*/" not in line
    )
