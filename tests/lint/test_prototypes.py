import pytest

from tools.checks import prototypes
from tools.checks.tree import Tree

GOOD = """/*
 * good.h - a header; it frees what it gets (all of it).
 */
#ifndef UTIL_GOOD_H
#define UTIL_GOOD_H

#define GOOD_TWICE(a) \\
    ((a) + (a))

#ifdef __cplusplus
extern "C" {
#endif

struct good {
    int (*call)(int a); /* a member, not a prototype */
    int size;           /* of it (all) */
};

extern const int good_sizes[(4 + 4)]; /* a variable */
extern int good_total;                /* (another one) */

/* NULL: no memory. */
struct good *good_new(int a, void (*call)(int, int));
void good_free(struct good *g);

/* Broken behind a comma is well. */
int good_measure(const struct good *g, int very_long_name_of_a_parameter,
                 int another_very_long_name);
void good_print(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
__attribute__((warn_unused_result))
int good_open(struct good *g);
typedef void good_done(struct good *g, void *arg);

static const char *const good_names[] = { "*/*", "https://", "{;", "'" };

static inline int
good_size(const struct good *g) /* a definition has its name in column 0 */
{
    return (g->size); /* a comment (here) is no matter */
}

#ifdef __cplusplus
}
#endif
#endif
"""


def findings(text, path="src/util/bad.h"):
    return list(prototypes.check(Tree({path: text})))


def test_a_good_header():
    assert findings(GOOD) == []


@pytest.mark.parametrize("text", [
    "void bad_free(struct bad *b); /* leaves it empty */\n",
    "void bad_free(struct bad *b); // leaves it empty\n",
    "void bad_free(struct bad *b); /* leaves it\n                                 empty */\n",
    "void bad_free(struct bad *b /* may be NULL */);\n",
    "void bad_free(struct bad *b, /* may be NULL */\n              int a);\n",
    "typedef void bad_free(struct bad *b); /* leaves it empty */\n",
    "int bad_a(const char *s, ...)\n    __attribute__((format(printf, 1, 2))); /* to stderr */\n",
])
def test_a_comment_inside_or_behind(text):
    (finding,) = findings("\n" + text)
    assert finding.startswith("src/util/bad.h:2: bad_")
    assert "move it above" in finding


def test_torn_behind_the_parenthesis():
    (finding,) = findings("void bad_free(\n    struct bad *b);\n")
    assert "broken behind the parenthesis" in finding


@pytest.mark.parametrize("text", [
    "const char *\nbad_name(const struct bad *b);\n",
    "const char\n    *bad_name(const struct bad *b);\n",
])
def test_torn_behind_the_return_type(text):
    (finding,) = findings(text)
    assert "broken behind the return type" in finding


@pytest.mark.parametrize("path", ["src/util/bad.h", "src/util/bad.c"])
def test_a_member_torn_by_its_comment(path):
    text = """struct bad {
    struct good
        *good; /* owned */
    int a;     /* a comment
                  of two lines */
};
"""
    (finding,) = findings(text, path)
    assert finding.startswith(f"{path}:2: a member torn")


def test_a_member_of_several_lines_has_its_comment_above():
    text = """struct bad {
    /* May be NULL. */
    void (*call)(int a,
                 int b);
};
"""
    assert findings(text) == []


def test_the_public_header_is_looked_at_too():
    assert findings("int curlew_a(int a); /* 0 */\n", "include/curlew/curlew.h")


def test_within_extern_c_too():
    assert findings('extern "C" {\nint bad_a(int a); /* 0 */\n}\n')


def test_a_c_file_may_declare_as_it_likes():
    assert findings("static int a(int a); /* 0 */\n", "src/util/bad.c") == []
