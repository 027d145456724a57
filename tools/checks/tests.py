"""Unit tests: the tree of src/ again, so that a module's name alone leads to its tests."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from .tree import Tree, module_of, stem_of

TESTS = "tests/unit"
NO_TESTS = {"main"}
UNTESTED: dict[str, str] = {  # module: the reason
    "transfer/dns_limit": "needs a resolver that is slow: tests/integration/test_slow_dns.py",
}


def check(tree: Tree) -> Iterator[str]:
    yield from missing_tests(tree)
    yield from tests_of_no_module(tree)


def modules(tree: Tree) -> list[str]:
    """Those with a .c file; what is a header alone is tested where it is used."""
    return [module_of(path) for path in tree.paths(r"src/.*\.c")]


def test_of(module: str) -> str:
    path = PurePosixPath(module)
    return f"{TESTS}/{path.parent}/test_{path.name}.c"


def missing_tests(tree: Tree) -> Iterator[str]:
    for module in modules(tree):
        exists = test_of(module) in tree.files
        if not exists and module not in NO_TESTS and module not in UNTESTED:
            yield f"src/{module}.c:1: has no unit tests; write {test_of(module)}"
        if exists and module in UNTESTED:
            yield f"{test_of(module)}:1: exists; take {module} off the list of tools/checks"


def tests_of_no_module(tree: Tree) -> Iterator[str]:
    """A module may have several files: test_url.c and test_url_param.c."""
    known = {module_of(path) for path in tree.sources()}
    for path in tree.paths(rf"{TESTS}/[^/]+/test_.*\.c"):
        folder, name = PurePosixPath(path).parts[2], stem_of(path).removeprefix("test_")
        words = name.split("_")
        beginnings = ("_".join(words[:n]) for n in range(1, len(words) + 1))
        if not any(f"{folder}/{beginning}" in known for beginning in beginnings):
            yield (f"{path}:1: its name begins with no module of src/{folder}; name it after the "
                   "module that it tests first")
