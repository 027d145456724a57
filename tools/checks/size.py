"""What a reader can hold: a file of 600 lines, a function of 40, a line of 100 columns.

Functions of tests are not counted: they may be tables. Columns of Python are ruff's to count.
"""

from collections.abc import Iterator

from .c_source import functions
from .tree import Tree

FILE_LINES, FUNCTION_LINES, COLUMNS = 600, 40, 100

# "path" or "path:function": (its own limit, the reason)
EXCEPTIONS: dict[str, tuple[int, str]] = {}


def limit(key: str, default: int) -> int:
    return EXCEPTIONS[key][0] if key in EXCEPTIONS else default


def check(tree: Tree) -> Iterator[str]:
    for path in tree.paths(r".*\.(c|h|py|sh)|(tools|\.ci|bench|docker)/[\w/-]+"):
        lines = tree.files[path].splitlines()
        if len(lines) > limit(path, FILE_LINES):
            yield (f"{path}:{len(lines)}: {len(lines)} lines, more than {FILE_LINES}; split it "
                   "where it has two subjects")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and not path.endswith(".py"):
                yield f"{path}:{number}: {len(line)} columns, more than {COLUMNS}; break the line"
    for path in tree.paths(r"(src|bench|examples)/.*\.[ch]"):
        for function in functions(tree.files[path]):
            if function.length > limit(f"{path}:{function.name}", FUNCTION_LINES):
                yield (f"{path}:{function.line}: {function.name} has {function.length} lines, more "
                       f"than {FUNCTION_LINES}; give a part of it a name")
