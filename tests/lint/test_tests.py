from tools.checks import tests
from tools.checks.tree import Tree


def findings(*paths):
    return list(tests.check(Tree(dict.fromkeys(paths, ""))))


def test_a_tree_in_order():
    assert findings("src/main.c", "src/http/url.c", "src/http/url.h", "src/util/list.h",
                    "tests/unit/http/test_url.c", "tests/unit/http/test_url_param.c",
                    "tests/unit/util/test_list.c", "tests/unit/support/origin.c") == []


def test_each_module_has_a_test_file_of_its_name():
    (finding,) = findings("src/http/url.c", "tests/unit/http/test_url_param.c")
    assert finding == "src/http/url.c:1: has no unit tests; write tests/unit/http/test_url.c"


def test_a_test_file_in_another_folder_does_not_count():
    found = findings("src/http/url.c", "tests/unit/util/test_url.c")
    assert found[0].startswith("src/http/url.c:1: has no unit tests")
    assert found[1].startswith("tests/unit/util/test_url.c:1: its name begins with no module of "
                               "src/util")


def test_the_name_of_a_test_file_begins_with_a_whole_name_of_a_module():
    (finding,) = findings("src/http/url.c", "tests/unit/http/test_url.c",
                          "tests/unit/http/test_urls.c")
    assert finding.startswith("tests/unit/http/test_urls.c:1: its name begins with no module")


def test_an_exception_that_is_not_needed_any_more_is_named(monkeypatch):
    monkeypatch.setattr(tests, "UNTESTED", {"http/url": "a reason"})
    assert findings("src/http/url.c") == []
    (finding,) = findings("src/http/url.c", "tests/unit/http/test_url.c")
    assert finding.startswith("tests/unit/http/test_url.c:1: exists; take http/url off the list")
