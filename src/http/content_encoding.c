/*
 * content_encoding.c - what a head's Content-Encoding fields say: the codings to undo, in order.
 */

#include "http/content_encoding.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum content_coding coding;
} names[] = {
    [CODING_GZIP] = { "gzip", CODING_GZIP },
    [CODING_DEFLATE] = { "deflate", CODING_DEFLATE },
    [CODING_BROTLI] = { "br", CODING_BROTLI },
    [CODING_ZSTD] = { "zstd", CODING_ZSTD },
    { "x-gzip", CODING_GZIP }, /* RFC 9110 section 8.4.1.3 */
};

/* They change no byte. A name that ends with a star stands for all that begin so. */
static const char *const passed_over[] = {
    "identity", "none",   "aws-chunked", "utf-*",    "utf8*",     "ucs-2",     "us-ascii",
    "ascii",    "latin*", "iso-8859-*",  "iso8859*", "windows-*", "cp125*",    "koi8-*",
    "euc-*",    "gb2312", "gbk",         "gb18030",  "big5*",     "shift_jis", "shift-jis",
    "x-sjis",   "sjis",   "iso-2022-*",  "tis-620",
};

static bool
matches(const char *pattern, const char *name, size_t n)
{
    size_t m = strlen(pattern);

    if (pattern[m - 1] == '*')
        return n >= m - 1 && strncasecmp(pattern, name, m - 1) == 0;
    return n == m && strncasecmp(pattern, name, n) == 0;
}

static bool
is_passed_over(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof passed_over / sizeof passed_over[0]; i++)
        if (matches(passed_over[i], name, n))
            return true;
    return false;
}

/* -1: not known. */
static int
find_coding(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (matches(names[i].name, name, n))
            return (int)names[i].coding;
    return -1;
}

/*
 * The element of the list at *list, without blanks around it, and *list behind it. NULL: there is
 * none any more. Empty elements are no elements (RFC 9110 section 5.6.1).
 */
static const char *
next_element(const char **list, size_t *n)
{
    const char *start = *list + strspn(*list, ", \t");
    const char *end = start + strcspn(start, ",");

    *list = end;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *n = (size_t)(end - start);
    return *n > 0 ? start : NULL;
}

/* All codings but those passed over go into `remaining`; those known behind *keep are undone. */
static void
add_list(struct content_encoding *e, const char *list, size_t *keep)
{
    const char *name;
    size_t n;

    while ((name = next_element(&list, &n)) != NULL) {
        int coding = find_coding(name, n);

        if (coding < 0 && is_passed_over(name, n))
            continue;
        if (e->remaining.len > 0)
            buffer_adds(&e->remaining, ", ");
        buffer_add(&e->remaining, name, n);
        if (coding < 0) {
            *keep = e->remaining.len;
            e->count = 0;
        } else if (e->count++ < CONTENT_ENCODING_MAX) {
            e->codings[e->count - 1] = (enum content_coding)coding;
        }
    }
}

int
content_encoding_parse(struct content_encoding *e, const struct headers *head, bool undo,
                       struct failure *err)
{
    size_t keep = 0;

    memset(e, 0, sizeof *e);
    buffer_init(&e->remaining, SIZE_MAX);
    for (size_t i = 0; i < head->count; i++)
        if (strcasecmp(head->items[i].name, "content-encoding") == 0 &&
            head->items[i].value != NULL)
            add_list(e, head->items[i].value, &keep);
    if (!buffer_ok(&e->remaining))
        return failure_no_memory(err);
    if (!undo) {
        keep = e->remaining.len;
        e->count = 0;
    }
    if (keep == 0)
        buffer_free(&e->remaining);
    else
        e->remaining.data[e->remaining.len = keep] = '\0';
    if (e->count > CONTENT_ENCODING_MAX)
        return failure_set(err, ERROR_PROTOCOL_ERROR,
                           "content-encoding: over %d codings on top of each other",
                           CONTENT_ENCODING_MAX);
    return 0;
}

void
content_encoding_destroy(struct content_encoding *e)
{
    buffer_free(&e->remaining);
    memset(e, 0, sizeof *e);
}

const char *
content_encoding_name(enum content_coding coding)
{
    return names[coding].name;
}
