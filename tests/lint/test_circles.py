from tools.checks import circles
from tools.checks.tree import Tree


def findings(**includes):
    """`a_c="b"` is src/util/a.c that includes util/b.h."""
    files = {}
    for name, targets in includes.items():
        path = "src/util/" + name.replace("_", ".")
        files[path] = "".join(f'#include "util/{target}.h"\n' for target in targets.split())
    return list(circles.check(Tree(files)))


def test_a_module_includes_its_own_header():
    assert findings(a_c="a", a_h="") == []


def test_a_ladder_is_no_circle():
    assert findings(a_c="a b c", a_h="b", b_c="b c", b_h="", c_c="c", c_h="") == []


def test_two_headers_that_include_each_other():
    found = findings(a_h="b", b_h="a")
    assert found[0] == "a circle of 2 modules: util/a, util/b"
    assert found[1].endswith("util/a > util/b > util/a")
    assert found[2].startswith('src/util/a.h:1: includes "util/b.h"')
    assert found[3].startswith('src/util/b.h:1: includes "util/a.h"')
    assert len(found) == 4


def test_a_circle_through_a_c_file():
    found = findings(a_c="a b", a_h="", b_c="b", b_h="a")
    assert found[0] == "a circle of 2 modules: util/a, util/b"
    assert found[2].startswith('src/util/a.c:2: includes "util/b.h"')


def test_a_circle_of_c_files_alone():
    assert findings(a_c="a b", a_h="", b_c="b a", b_h="")[0].startswith("a circle of 2 modules")


def test_a_circle_of_three_and_one_who_only_looks_on():
    found = findings(a_h="b", b_h="c", c_h="a", d_h="a")
    assert found[0] == "a circle of 3 modules: util/a, util/b, util/c"
    assert not any("util/d" in line for line in found)


def test_the_shortest_way_round_is_told():
    found = findings(a_h="b", b_h="c", c_h="d a", d_h="c")
    assert found[0] == "a circle of 4 modules: util/a, util/b, util/c, util/d"
    assert found[1].endswith("util/c > util/d > util/c")


def test_two_circles_are_two():
    found = findings(a_h="b", b_h="a", c_h="d", d_h="c")
    assert sum(line.startswith("a circle of 2 modules") for line in found) == 2


def test_a_circle_between_folders_without_one_between_modules():
    found = list(circles.check(Tree({
        "src/http/a.c": '#include "util/b.h"\n',
        "src/util/c.c": '#include "http/d.h"\n',
        "src/util/b.h": "",
        "src/http/d.h": "",
    })))
    assert found[0] == "a circle of 2 folders: http, util"
    assert found[2].startswith('src/http/a.c:1: includes "util/b.h"')
