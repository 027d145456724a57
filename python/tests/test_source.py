"""What keeps the package readable: names of modules, and what modules may reach for."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "django_curlew"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Users import these by the name of the client that they serve.
NAMED_AFTER_PACKAGES = {"requests", "adapters/requests.py", "adapters/httpx.py"}
# hypercorn has no public way to send the reset of a stream.
FOREIGN_PRIVATE = {("bridge/response_sender.py", "_flush")}


def name_of(path):
    return str(path.relative_to(PACKAGE))


def own_names(tree):
    """All names that a module defines: functions, classes, variables, attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                yield node.attr


def foreign_private_members(source):
    """Private names of other modules that the source uses: obj._x, import _x."""
    tree = ast.parse(source)
    own = set(own_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (alias.name for alias in node.names if is_private(alias.name))


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name not in NAMEDTUPLE


NAMEDTUPLE = {"_replace", "_asdict", "_fields"}  # public, in spite of their names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_uses_private_members_of_another(path):
    found = {(name_of(path), name) for name in foreign_private_members(path.read_text())}
    assert found <= FOREIGN_PRIVATE


def test_that_check_finds_what_it_should():
    source = "from x import _a\nfrom . import b\nb._c\nself._d\nclass E:\n def _f(self): b._f\n"
    assert list(foreign_private_members(source)) == ["_a", "_c"]


def test_no_module_has_the_name_of_one_of_the_standard_library():
    names = {path.stem if path.stem != "__init__" else path.parent.name for path in MODULES}
    assert not names & set(sys.stdlib_module_names)


def test_no_other_module_has_the_name_of_another_package():
    others = {"requests", "httpx", "django", "h11", "curl_cffi", "asgiref", "orjson", "urllib3"}
    found = {name_of(p) for p in MODULES if p.stem in others}
    found |= {name_of(p.parent) for p in MODULES
              if p.stem == "__init__" and p.parent.name in others}
    assert found == NAMED_AFTER_PACKAGES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_tuple_is_unpacked_only_to_shorten_a_line(path):
    tree = ast.parse(path.read_text())
    assert not [node.lineno for node in ast.walk(tree)
                if isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_classes_and_their_module_have_docstrings(path):
    tree = ast.parse(path.read_text())
    if not tree.body:
        return
    assert ast.get_docstring(tree)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert not [c.name for c in classes if not c.name.startswith("_") and not ast.get_docstring(c)]
