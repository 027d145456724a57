import pytest

from tools.checks import folders
from tools.checks.tree import Tree


def findings(path, include):
    return list(folders.check(Tree({path: f'#include "{include}"\n'})))


@pytest.mark.parametrize("path, include", [
    ("src/main.c", "routes/router.h"),
    ("src/main.c", "util/log.h"),
    ("src/routes/submit.c", "fastcgi/exchange.h"),
    ("src/fastcgi/params.c", "message/problem.h"),
    ("src/message/envelope.c", "engine/engine.h"),
    ("src/engine/fetch_flow.c", "transfer/transfer.h"),
    ("src/engine/fetch_flow.c", "scheduler/scheduler.h"),
    ("src/engine/api.c", "curlew/curlew.h"),
    ("src/message/status.c", "curlew/curlew.h"),
    ("src/scheduler/scheduler.c", "fetch/fetch.h"),
    ("src/fetch/fetch.h", "session/session.h"),
    ("src/session/session.c", "egress/egress.h"),
    ("src/http/url.c", "util/buffer.h"),
    ("src/util/log.c", "util/log_format.h"),
])
def test_a_file_may_include_its_own_folder_and_lower_ones(path, include):
    assert findings(path, include) == []


@pytest.mark.parametrize("path, include", [
    ("src/util/log.c", "event/loop.h"),
    ("src/session/session.c", "fetch/fetch.h"),
    ("src/fetch/retry.h", "engine/engine.h"),
    ("src/fetch/fetch.h", "curlew/curlew.h"),
    ("src/engine/engine.c", "message/config.h"),
    ("src/message/batch.c", "fastcgi/exchange.h"),
    ("src/fastcgi/protocol.c", "routes/router.h"),
])
def test_a_folder_above_is_refused(path, include):
    (finding,) = findings(path, include)
    assert finding.startswith(f'{path}:1: includes "{include}"')
    assert " is above " in finding


@pytest.mark.parametrize("path, include", [
    ("src/transfer/transfer.c", "scheduler/scheduler.h"),
    ("src/scheduler/scheduler.c", "transfer/transfer.h"),
    ("src/http/url.c", "egress/ip_address.h"),
    ("src/limits/retry_budget.c", "event/timer.h"),
])
def test_siblings_do_not_know_each_other(path, include):
    (finding,) = findings(path, include)
    assert " is beside " in finding


@pytest.mark.parametrize("include", ["buffer.h", "../util/buffer.h", "base/buffer.h"])
def test_an_include_names_a_folder(include):
    (finding,) = findings("src/routes/router.c", include)
    assert 'write it as "folder/file.h"' in finding


def test_a_folder_without_a_layer_is_named_once():
    tree = Tree({"src/base/a.c": '#include "base/a.h"\n', "src/base/a.h": "", "src/main.c": ""})
    (finding,) = folders.check(tree)
    assert finding.startswith("src/base: is no folder of the layers")


def test_the_public_header_includes_system_headers_only():
    assert not list(folders.check(Tree({"include/curlew/curlew.h": "#include <stddef.h>\n"})))
    assert findings("include/curlew/curlew.h", "util/list.h")


def test_the_line_is_told():
    tree = Tree({"src/util/a.c": '#include "util/a.h"\n\n#include "routes/router.h"\n'})
    (finding,) = folders.check(tree)
    assert finding.startswith("src/util/a.c:3:")
