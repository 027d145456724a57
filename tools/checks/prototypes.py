"""In a header, the comment stands above the prototype, and the prototype is not torn.

Torn: broken behind `(`, or between the return type and the name. Only a definition has its name in
column 0, so that `grep ^name` finds it. Nor does the comment behind a member tear that.
"""

import re
from collections.abc import Iterator

from .c_source import ATTRIBUTE, COMMENT, Declaration, members, prototypes
from .tree import Tree

NAME = re.compile(r"(\w+)\s*\(")


def check(tree: Tree) -> Iterator[str]:
    for path in tree.headers():
        lines = tree.lines(path)
        for prototype in prototypes(tree.files[path]):
            for why in faults(prototype, lines[prototype.first - 1:prototype.last]):
                yield f"{path}:{prototype.first}: {why}"
    for path in tree.sources():
        lines = tree.lines(path)
        for member in members(tree.files[path]):
            if member.first < member.last and has_comment(lines[member.first - 1:member.last]):
                yield (f"{path}:{member.first}: a member torn by the comment behind it; move the "
                       "comment above")


def faults(prototype: Declaration, lines: list[str]) -> Iterator[str]:
    found = NAME.search(ATTRIBUTE.sub("", prototype.text))
    name = found[1] if found else prototype.text
    if has_comment(lines):
        yield f"{name}: a comment inside or behind the prototype; move it above"
    code = prototype.text.split("\n")
    if any(line.rstrip().endswith("(") for line in code):
        yield f"{name}: broken behind the parenthesis; break behind a comma, or shorten it"
    if any(re.match(rf"\s*\**{re.escape(name)}\s*\(", line) for line in code):
        yield f"{name}: broken behind the return type; join the two lines"


def has_comment(lines: list[str]) -> bool:
    return any(COMMENT.search(line) or "/*" in line for line in lines)
