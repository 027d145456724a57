/* test_request_json_docs.c - docs/api.md has every key of the request object, and every error. */

#include "http/request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char page[200000];

/* Tests are run from the top of the source tree. */
static void
read_page(void)
{
    FILE *f = fopen("docs/api.md", "r");
    size_t n;

    cr_assert_not_null(f, "docs/api.md: run this from the top of the source tree");
    n = fread(page, 1, sizeof page - 1, f);
    page[n] = '\0';
    fclose(f);
}

TestSuite(request_json_docs, .init = read_page);

/* Does a line that begins so name the word in backquotes? */
static bool
has_row(const char *start, const char *word)
{
    char quoted[100];

    snprintf(quoted, sizeof quoted, "`%s`", word);
    for (const char *line = page; line != NULL; line = strchr(line, '\n')) {
        const char *found;

        line += *line == '\n';
        found = strstr(line, quoted);
        if (strncmp(line, start, strlen(start)) == 0 && found != NULL &&
            memchr(line, '\n', (size_t)(found - line)) == NULL)
            return true;
    }
    return false;
}

Test(request_json_docs, has_a_row_for_every_key_of_the_request_object)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++) {
        const char *name = request_key_field(key)->name, *dot = strchr(name, '.');

        name = dot != NULL ? dot + 1 : name; /* the keys of a group stand in the group's row */
        cr_assert(has_row("| `", name) || has_row("| [`", name), "%s has no row", name);
    }
}

Test(request_json_docs, has_a_row_for_every_error_with_its_status)
{
    for (enum error e = ERROR_NONE + 1; e < ERROR_COUNT; e++) {
        char start[16];

        snprintf(start, sizeof start, "| %d |", error_status(e));
        cr_assert(has_row(start, error_code(e)), "%s has no row", error_code(e));
    }
}
