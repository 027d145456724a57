/*
 * fuzz_response_head.c - any bytes as a status line and as fields of a response: what they say of
 * the message's framing and codings is what a second, slow reading says.
 *
 * The input's strings are the status line, then names and values in turn.
 */

#include "fuzz_input.h"
#include "http/content_encoding.h"
#include "http/field_syntax.h"
#include "http/response_framing.h"
#include "http/retry_policy.h"
#include "util/utf8.h"

#include <ctype.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_refusal(const struct failure *err)
{
    check_that(err->error == ERROR_PROTOCOL_ERROR, "a protocol error", error_code(err->error));
    check_that(err->detail[0] != '\0' && utf8_valid(err->detail, strlen(err->detail)), "a reason",
               err->detail);
}

/* -- the status line -------------------------------------------------------- */

static void
try_status(const char *line)
{
    struct failure err = { 0 };
    struct status_line s;
    char again[64];

    if (response_framing_read_status(&s, line, strlen(line), &err) != 0) {
        check_refusal(&err);
        return;
    }
    check_that(s.status >= 100 && s.status <= 999, "a status of three digits", line);
    check_that(s.reason + s.reason_size == line + strlen(line), "the reason goes to the end", line);
    snprintf(again, sizeof again, " %d", s.status);
    check_that(strncmp(line, "HTTP/", 5) == 0 && strstr(line, again) != NULL, "as it stands", line);
}

/* -- framing ------------------------------------------------------------------ */

/* The next element of a list, without blanks around it; false: there is none. */
static bool
next_of(const char **list, char element[256])
{
    for (;;) {
        size_t n = strcspn(*list, ","), from = 0, to = n;

        while (from < to && strchr(" \t", (*list)[from]) != NULL)
            from++;
        while (to > from && strchr(" \t", (*list)[to - 1]) != NULL)
            to--;
        snprintf(element, 256, "%.*s", (int)(to - from), *list + from);
        if (n == 0 && **list == '\0')
            return false;
        *list += n + ((*list)[n] == ',');
        if (to > from)
            return true;
    }
}

/* The length that a whole list gives, or -1; `known` is what a field before has given, or -1. */
static int64_t
slow_length(const char *list, int64_t known)
{
    char element[256];
    bool any = false;

    for (; next_of(&list, element); any = true) {
        __int128 n = 0; /* ten times INT64_MAX, and more */

        if (element[strspn(element, "0123456789")] != '\0')
            return -1;
        for (const char *c = element; *c != '\0'; c++)
            if ((n = n * 10 + (*c - '0')) > INT64_MAX)
                return -1;
        if (known >= 0 && known != n)
            return -1;
        known = (int64_t)n;
    }
    return any ? known : -1;
}

static bool
slow_chunked(const char *list, bool already)
{
    char element[256];
    int count = 0;

    while (next_of(&list, element))
        if (strcasecmp(element, "chunked") != 0 || count++ > 0)
            return false;
    return count == 1 && !already;
}

/* The name without blanks around it, in lower case. */
static char *
bare(const char *name)
{
    size_t from = strspn(name, " \t"), n = strlen(name + from);
    char *copy = strdup(name + from);

    while (n > 0 && strchr(" \t", copy[n - 1]) != NULL)
        copy[--n] = '\0';
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static void
try_framing(struct response_framing *r, const char *name, const char *value)
{
    struct response_framing before = *r;
    struct failure err = { 0 };
    int rc = response_framing_add(r, name, strlen(name), value, strlen(value), &err);
    char *own = bare(name);
    bool blank = strlen(own) != strlen(name), expected = true;

    if (strcmp(own, "content-length") == 0) {
        expected = !blank && strlen(value) < 250 && slow_length(value, before.length) >= 0;
        check_that(rc != 0 || r->length == slow_length(value, before.length), "length", value);
    } else if (strcmp(own, "transfer-encoding") == 0) {
        expected = !blank && slow_chunked(value, before.chunked);
    } else {
        check_that(r->length == before.length && r->chunked == before.chunked, "another field",
                   name);
    }
    check_that((rc == 0) == expected || strlen(value) >= 250, "framing", value);
    check_that(response_framing_is_field(name) ==
                   (!blank &&
                    (strcmp(own, "content-length") == 0 || strcmp(own, "transfer-encoding") == 0)),
               "is it a field of the framing", name);
    if (rc != 0) {
        check_refusal(&err);
        *r = before;
    }
    free(own);
}

/* -- syntax, codings, Retry-After ------------------------------------------------ */

static void
try_syntax(const char *name, const char *value)
{
    struct buffer text;
    bool token = name[0] != '\0';

    for (const char *c = name; *c != '\0'; c++)
        token = token && (unsigned char)*c < 0x7f &&
                (isalnum((unsigned char)*c) || strchr("!#$%&'*+-.^_`|~", *c) != NULL);
    check_that(field_syntax_is_token(name) == token, "a token", name);
    buffer_init(&text, SIZE_MAX / 2);
    buffer_adds(&text, "");
    field_syntax_add_value(&text, value);
    for (size_t i = 0; i < text.len; i++)
        check_that(text.data[i] == '\t' || !iscntrl((unsigned char)text.data[i]), "no control",
                   value);
    check_that(text.len <= strlen(value), "no longer than it was", value);
    buffer_free(&text);
}

/* What is undone and what remains is, together, what stands there. */
static void
try_codings(const struct headers *head)
{
    struct content_encoding all, e;
    struct failure err = { 0 };
    struct buffer joined;

    check_that(content_encoding_parse(&all, head, false, &err) == 0 && all.count == 0, "not undone",
               err.detail);
    buffer_init(&joined, SIZE_MAX / 2);
    buffer_adds(&joined, "");
    if (content_encoding_parse(&e, head, true, &err) == 0) {
        size_t n = e.remaining.len;

        check_that(e.count <= CONTENT_ENCODING_MAX, "at most so many", "");
        buffer_add(&joined, e.remaining.data, n);
        check_that(joined.len == 0 || strncmp(joined.data, all.remaining.data, n) == 0, "remaining",
                   joined.data);
        for (int i = 0; i < e.count; i++)
            n += strlen(content_encoding_name(e.codings[i])) + 2;
        check_that(n <= all.remaining.len + 2 || e.count == 0, "no more than there is",
                   joined.data);
    } else {
        check_refusal(&err);
    }
    content_encoding_destroy(&e);
    content_encoding_destroy(&all);
    buffer_free(&joined);
}

/* `date` is any other text, as the field Date of the same head. */
static void
try_retry_after(const char *value, const char *date)
{
    int64_t us = retry_policy_parse_retry_after(value, date, 1700000000);
    bool digits = value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';

    check_that(us >= -1 && (!digits || us >= 0), "Retry-After", value);
    check_that(!digits || strlen(value) > 9 || us == atoll(value) * 1000000, "seconds", value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct response_framing framing;
    struct headers head = { 0 };
    char *line = take_string(&in);

    response_framing_init(&framing);
    try_status(line);
    free(line);
    while (in.left > 0) {
        char *name = take_string(&in), *value = take_string(&in);

        try_framing(&framing, name, value);
        try_syntax(name, value);
        try_retry_after(value, name[0] != '\0' ? name : NULL);
        if (headers_add(&head, name[0] == 'e' ? "Content-Encoding" : name,
                        strlen(name[0] == 'e' ? "Content-Encoding" : name), value,
                        strlen(value)) != 0)
            abort();
        free(name);
        free(value);
    }
    check_that(!framing.chunked || response_framing_known_length(&framing) == -1, "chunked", "");
    try_codings(&head);
    headers_destroy(&head);
    return 0;
}
