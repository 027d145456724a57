import pytest

from tools.checks import predicates
from tools.checks.tree import Tree


def findings(type, name, parameters):
    text = f"{type}\n{name}({parameters})\n{{\n}}\n"
    return list(predicates.check(Tree({"src/fetch/a.c": text})))


@pytest.mark.parametrize("type, name, parameters", [
    ("bool", "is_idle", "const struct fetch *f"),
    ("bool", "is_idle", "struct fetch const *f, int64_t now_us"),
    ("static bool", "fetch_has_body", "const struct fetch *f, const char *name"),
    ("static inline bool", "can_pass", "void"),
    ("bool", "public_suffix_is", "const char *domain, char *buffer"),
    ("bool", "has_any", "const struct fetch *const *all"),
    ("int", "cancel", "struct fetch *f"),
    ("struct list *", "history", "struct fetch *f"),
    ("void", "isolate", "struct fetch *f"),
])
def test_predicates_that_only_look(type, name, parameters):
    assert findings(type, name, parameters) == []


@pytest.mark.parametrize("name", ["is_idle", "has_body", "can_start", "fetch_is_idle", "is_a_b"])
def test_a_predicate_that_may_act_is_refused(name):
    (finding,) = findings("bool", name, "const struct a *a, struct fetch *f")
    assert finding.startswith(f"src/fetch/a.c:2: {name} takes `struct fetch *f`")


def test_a_const_pointer_is_not_a_pointer_to_const():
    assert len(findings("bool", "is_idle", "struct fetch *const f")) == 1


@pytest.mark.parametrize("type", ["int", "static int", "void", "bool *", "struct fetch *"])
def test_a_predicate_returns_bool(type):
    (finding,) = findings(type, "is_idle", "void")
    assert f"is_idle returns {type};" in finding


def test_an_exception_is_for_one_function(monkeypatch):
    monkeypatch.setitem(predicates.EXCEPTIONS, "src/fetch/a.c:is_idle", "locks a mutex")
    assert findings("bool", "is_idle", "struct fetch *f") == []
    assert len(findings("bool", "is_busy", "struct fetch *f")) == 1
