"""Python code in the documents and examples: no session that visitors share keeps cookies."""

import ast
import asyncio
import re
import textwrap
import types
import warnings
from pathlib import Path

import pytest
from django.http import HttpResponse, JsonResponse
from django.test import RequestFactory

from django_curlew import SharedJarWarning
from django_curlew.testing import override_curlew

ROOT = Path(__file__).parents[3]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "python" / "README.md",
           ROOT / "docs" / "django.md"]
PAGES = [*READMES, *(p for p in sorted((ROOT / "docs").glob("*.md")) if p not in READMES)]
MODULES = [*sorted((ROOT / "examples").rglob("*.py")),
           *(ROOT / "python" / "src").rglob("*.py")]


def python_blocks(page):
    """The blocks of Python of a page, without their indentation."""
    found = re.findall(r"^( *)```python[^\n]*\n(.*?)^\1```", page.read_text(), re.M | re.S)
    return [textwrap.dedent(code) for _, code in found]


def shared_sessions_with_a_jar(source):
    """Lines that make a session which several requests use, and that keeps cookies in this process:
    outside of functions, without `cookie_jar=` and `name=`, with or without a variable."""
    for node in outside_of_functions(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node.func) in ("Session", "AsyncSession"):
            if not {keyword.arg for keyword in node.keywords} & {"cookie_jar", "name"}:
                yield node.lineno


def outside_of_functions(tree):
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            yield from outside_of_functions(node)


def called(function):
    """The last name; "" for the Session of another package."""
    if isinstance(function, ast.Attribute):
        return "" if ast.unparse(function) == "requests.Session" else function.attr
    return getattr(function, "id", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_page_shows_a_shared_session_with_a_jar(page):
    for code in python_blocks(page):
        try:
            assert not list(shared_sessions_with_a_jar(code)), code
        except SyntaxError:  # a fragment: no line of it may look so
            assert not re.search(r"^\w.*\b(Async)?Session\((?!.*(cookie_jar|name)=)", code, re.M)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_has_a_shared_session_with_a_jar(path):
    assert not list(shared_sessions_with_a_jar(path.read_text()))


@pytest.mark.parametrize("source, found", [
    ("s = Session()", [1]), ("a, b = x.Session(), AsyncSession(timeout=3)", [1, 1]),
    ("class A:\n s = Session(headers={})", [2]), ("def view(r):\n s = Session()", []),
    ("s = Session(cookie_jar=False); t = Session(name='x')", []), ("requests.Session()", [])])
def test_that_check_finds_what_it_should(source, found):
    assert list(shared_sessions_with_a_jar(source)) == found


# -- two visitors of the READMEs' views ------------------------------------------------------------


def views_of(page):
    """The module that a page's views are in: its block with sync_view and async_view."""
    code, = [code for code in python_blocks(page) if "def sync_view" in code]
    module = types.ModuleType("views_of_a_page")
    names = {"HttpResponse": HttpResponse, "JsonResponse": JsonResponse,
             "PRICES": "https://api.example/prices", "STOCK": "https://api.example/stock"}
    module.__dict__.update(names)
    exec(compile(code, str(page), "exec"), module.__dict__)
    return module


def visit(view):
    """One visit; the fetches that it made."""
    with override_curlew() as curlew:
        sid = {"name": "sid", "value": "A", "domain": "example.org", "host_only": False,
               "path": "/", "secure": False, "http_only": True, "expires": 0, "deleted": False}
        curlew.on("*", json={}, cookies=[sid, {**sid, "domain": "api.example"}])
        response = view(RequestFactory().get("/"))
        if asyncio.iscoroutine(response):
            response = asyncio.run(response)
        assert response.status_code == 200 and curlew.requests
        return curlew.requests


@pytest.mark.parametrize("page", READMES, ids=lambda p: str(p.relative_to(ROOT)))
@pytest.mark.parametrize("name", ["sync_view", "async_view"])
def test_a_second_visitor_has_none_of_the_first_ones_cookies(page, name):
    view = getattr(views_of(page), name)
    assert not [each for _ in range(2) for each in visit(view) if "cookies" in each]


def test_with_a_session_in_the_module_it_has(recwarn):
    """So the test above can fail."""
    module = views_of(ROOT / "README.md")
    from django_curlew import Session

    module.client = Session()
    warnings.simplefilter("always", SharedJarWarning)
    assert not visit(module.sync_view)[0].get("cookies")
    assert visit(module.sync_view)[0]["cookies"][0]["value"] == "A"
