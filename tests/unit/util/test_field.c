/* test_field.c - one member of a struct, described by a row of a table. */

#include "util/field.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct sample {
    bool yes, shared;
    int number, choice;
    int64_t large, ms;
    double real;
    char *text, *path;
};

static const char *const words[] = { "a", "b", "c", NULL };

#define AT(member) offsetof(struct sample, member)

static const struct field rows[] = {
    { "yes", FIELD_BOOL, AT(yes), 0, 0, NULL, 1, 0 },
    { "shared", FIELD_TWO_WAY, AT(shared), 0, 0, words, 0, 0 },
    { "number", FIELD_INT, AT(number), 0, 9, NULL, 7, 0 },
    { "choice", FIELD_CHOICE, AT(choice), 0, 0, words, 2, 0 },
    { "large", FIELD_INT64, AT(large), 0, 0, NULL, INT64_MAX, 0 },
    { "ms", FIELD_MS, AT(ms), 0, 0, NULL, 1500, 0 },
    { "real", FIELD_NUMBER, AT(real), 0, 0, NULL, 3, 0 },
    { "text", FIELD_TEXT, AT(text), 0, 9, NULL, 0, 0 },
    { "path", FIELD_PATH, AT(path), 0, 0, NULL, 0, 0 },
};

#define ROWS (sizeof rows / sizeof rows[0])

_Static_assert(ROWS == FIELD_OTHER, "each kind has its row here");

static struct sample a, b;

static void
setup(void)
{
    memset(&a, 0xA5, sizeof a);
    memset(&b, 0, sizeof b);
    for (size_t i = 0; i < ROWS; i++)
        field_init(&a, &rows[i]);
}

static void
teardown(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        field_destroy(&a, &rows[i]);
        field_destroy(&b, &rows[i]);
    }
}

TestSuite(field, .init = setup, .fini = teardown);

Test(field, is_found_by_its_whole_name)
{
    cr_assert_eq(field_find(rows, ROWS, "yes"), 0);
    cr_assert_eq(field_find(rows, ROWS, "path"), ROWS - 1);
    cr_assert_eq(field_find(rows, ROWS, "pat"), ROWS);
    cr_assert_eq(field_find(rows, ROWS - 1, "path"), ROWS - 1); /* beyond the rows */
}

Test(field, begins_with_what_its_row_says)
{
    cr_assert(a.yes);
    cr_assert_not(a.shared);
    cr_assert_eq(a.number, 7);
    cr_assert_eq(a.choice, 2);
    cr_assert_eq(a.large, INT64_MAX);
    cr_assert_eq(a.ms, 1500);
    cr_assert_eq(a.real, 3.0);
    cr_assert_null(a.text);
    cr_assert_null(a.path);
}

Test(field, a_copy_is_equal_kind_by_kind_and_shares_no_text)
{
    a.shared = true;
    a.text = strdup("text");
    a.path = strdup("/p");
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_not(field_equal(&a, &b, &rows[i]), "%s", rows[i].name);
        cr_assert(field_is_zero(&b, &rows[i]), "%s", rows[i].name);
        cr_assert_not(field_is_zero(&a, &rows[i]), "%s", rows[i].name);
        cr_assert_eq(field_copy(&b, &a, &rows[i]), 0);
        cr_assert(field_equal(&a, &b, &rows[i]), "%s", rows[i].name);
    }
    cr_assert_neq(a.text, b.text);
}

Test(field, a_copy_touches_no_other_member)
{
    a.text = strdup("text");
    for (size_t i = 0; i < ROWS; i++) {
        struct sample alone = { 0 };

        cr_assert_eq(field_copy(&alone, &a, &rows[i]), 0);
        for (size_t k = 0; k < ROWS; k++)
            cr_assert(k == i || field_is_zero(&alone, &rows[k]), "%s: %s", rows[i].name,
                      rows[k].name);
        field_destroy(&alone, &rows[i]);
    }
}
