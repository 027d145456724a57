"""A function named is_, has_ or can_ is a predicate: it returns bool and changes nothing.

What can be seen from outside is checked: the type, and that its structs are pointers to const.
"""

import re
from collections.abc import Iterator

from .c_source import Function, functions
from .tree import Tree

WORDS = {"is", "has", "can"}
MUTABLE_STRUCT = re.compile(r"^(?!.*\bconst\b[^*]*\*)\s*(?:struct|union)\s+\w+\s*\*")

# "path:function": the reason, such as a mutex that must be locked
EXCEPTIONS: dict[str, str] = {}


def check(tree: Tree) -> Iterator[str]:
    for path in tree.sources():
        for function in functions(tree.files[path]):
            if is_predicate(function.name) and f"{path}:{function.name}" not in EXCEPTIONS:
                for why in faults(function):
                    yield f"{path}:{function.line}: {function.name} {why}"


def is_predicate(name: str) -> bool:
    """By name. public_suffix_is() is one, too."""
    return not WORDS.isdisjoint(name.split("_"))


def faults(function: Function) -> Iterator[str]:
    if "bool" not in function.type.split() or "*" in function.type:
        yield f"returns {function.type}; a predicate returns bool, so rename it or change the type"
    for parameter in function.parameters:
        if MUTABLE_STRUCT.match(parameter):
            yield (f"takes `{parameter}`; a predicate changes nothing, so make it a pointer to "
                   "const, or name the function after what it does (try_…, start_…)")
