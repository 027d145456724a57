import pytest

from tools.checks import names
from tools.checks.tree import Tree


def definition(name, type="int"):
    return f"{type}\n{name}(int a)\n{{\n    return a;\n}}\n"


def findings(path, text, *others):
    return list(names.check(Tree({path: text, **dict.fromkeys(others, "")})))


@pytest.mark.parametrize("path, name", [
    ("src/limits/token_bucket.c", "token_bucket_take"),
    ("src/limits/token_bucket.c", "token_bucket"),
    ("src/util/utf8.c", "utf8_length"),
    ("src/http/headers.c", "headers_get"),
    ("src/util/json_text.c", "json_text_write"),
    ("src/main.c", "main"),
    ("src/engine/api.c", "curlew_submit"),
    ("src/fastcgi/libfcgi_codec.c", "OS_Read"),
])
def test_an_exported_function_carries_its_files_name(path, name):
    assert findings(path, definition(name)) == []


@pytest.mark.parametrize("path, name", [
    ("src/limits/token_bucket.c", "bucket_take"),
    ("src/limits/token_bucket.c", "token_buckets_take"),
    ("src/limits/token_bucket.c", "token_buckettake"),
    ("src/engine/engine.c", "curlew_free"),
    ("src/fastcgi/exchange.c", "OS_Read"),
    ("src/main.c", "usage"),
])
def test_another_name_is_refused(path, name):
    (finding,) = findings(path, "\n" + definition(name))
    assert finding.startswith(f"{path}:3: {name} is exported; name it ")


@pytest.mark.parametrize("type", ["static int", "static inline const char *", "static struct x *"])
def test_a_static_function_has_any_name(type):
    assert findings("src/util/log.c", definition("anything", type)) == []


@pytest.mark.parametrize("type", ["void", "const char *", "struct x *", "unsigned long long"])
def test_each_return_type_is_seen(type):
    assert len(findings("src/util/log.c", definition("anything", type))) == 1


@pytest.mark.parametrize("type", [
    "__attribute__((noreturn)) void",
    "__attribute__((noreturn))\nvoid",
    "__attribute__((format(printf, 1, 2))) int",
])
def test_a_function_with_an_attribute_is_seen(type):
    assert len(findings("src/util/log.c", definition("anything", type))) == 1
    assert findings("src/util/log.c", definition("log_anything", type)) == []


def test_parameters_of_several_lines_are_seen():
    text = "int\nanything(int a, void (*f)(int, int),\n         int b)\n{\n}\n"
    assert len(findings("src/util/log.c", text)) == 1


def test_what_is_no_definition_is_not_taken_for_one():
    text = """/*
int
commented(void)
{
}
*/
int declared(void);
static const char text[] = "\\
int\\
quoted(void)";
struct table rows[] = {
    { 1 },
};
static void
log_it(void)
{
    if (called(1)) {
    }
}
"""
    assert findings("src/util/log.c", text) == []


def test_the_longer_file_name_is_meant():
    other = "src/session/session_config.c"
    (finding,) = findings("src/session/session.c", definition("session_config_free"), other)
    assert "sounds like one of src/session/session_config.c" in finding
    assert findings(other, definition("session_config_free"), "src/session/session.c") == []
    assert findings("src/session/session.c", definition("session_configure"), other) == []
