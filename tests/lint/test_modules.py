from tools.checks import modules
from tools.checks.tree import Tree


def findings(*paths):
    return list(modules.check(Tree(dict.fromkeys(paths, ""))))


def test_a_tree_in_order():
    assert findings("src/main.c", "src/util/log.c", "src/util/log.h", "src/util/list.h",
                    "src/http/url.c", "src/http/url.h") == []


def test_a_c_file_has_a_header_of_its_name_beside_it():
    (finding,) = findings("src/util/log.c", "src/util/list.h")
    assert finding.startswith("src/util/log.c:1: has no src/util/log.h")


def test_a_header_in_another_folder_is_not_beside_it():
    found = findings("src/util/log.c", "src/http/log.h")
    assert found[0].startswith("src/util/log.c:1: has no src/util/log.h")
    assert found[1].startswith("src/http/log: has the name log in common with src/util/log")


def test_the_public_header_is_that_of_the_api():
    assert findings("src/engine/api.c", "include/curlew/curlew.h") == []
    (finding,) = findings("src/engine/api.c", "src/engine/engine.h")
    assert finding.startswith("src/engine/api.c:1: has no include/curlew/curlew.h")


def test_file_names_are_unique():
    (finding,) = findings("src/http/request.c", "src/http/request.h", "src/message/request.c",
                          "src/message/request.h")
    assert finding.startswith("src/http/request: has the name request in common with "
                              "src/message/request")


def test_a_folder_holds_23_modules_at_most():
    files = [f"src/http/m{n}.{suffix}" for n in range(23) for suffix in "ch"]
    assert findings(*files) == []
    (finding,) = findings(*files, "src/http/one_more.h")
    assert finding.startswith("src/http: 24 modules, more than 23")
