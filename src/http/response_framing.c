/* response_framing.c - what in a response's head says where the message begins and ends. */

#include "http/response_framing.h"

#include <string.h>
#include <strings.h>

static const char length_name[] = "content-length", coding_name[] = "transfer-encoding";

void
response_framing_init(struct response_framing *r)
{
    *r = (struct response_framing){ .length = RESPONSE_FRAMING_NO_LENGTH };
}

/* -- the status line ------------------------------------------------------ */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind "HTTP/1.1 "; libcurl writes such a line of HTTP/2 and 3, too.  NULL: it is none. */
static const char *
skip_version(const char *line, const char *end)
{
    static const char *const versions[] = { "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/2 ", "HTTP/3 " };

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        size_t n = strlen(versions[i]);

        if ((size_t)(end - line) >= n && memcmp(line, versions[i], n) == 0)
            return line + n;
    }
    return NULL;
}

int
response_framing_read_status(struct status_line *s, const char *line, size_t n, struct failure *err)
{
    const char *end = line + n, *at = skip_version(line, end);

    if (at == NULL)
        return failure_set(err, ERROR_PROTOCOL_ERROR,
                           "the response begins with no status line of HTTP/1, 2 or 3");
    while (at < end && *at == ' ')
        at++;
    if (end - at < 3 || !is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]) ||
        (end - at > 3 && at[3] != ' ') || at[0] == '0')
        return failure_set(err, ERROR_PROTOCOL_ERROR,
                           "the status line has no status of three digits from 100 on");
    s->http_1_0 = memcmp(line, "HTTP/1.0", strlen("HTTP/1.0")) == 0;
    s->status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
    at += end - at > 3 ? 4 : 3;
    s->reason = at;
    s->reason_size = (size_t)(end - at);
    return 0;
}

/* -- fields ----------------------------------------------------------------- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next element of a list, without blanks around it.  NULL: there is none any more. */
static const char *
next_element(const char **list, const char *end, size_t *n)
{
    const char *start = *list, *stop;

    while (start < end && (is_blank(*start) || *start == ','))
        start++;
    if (start == end)
        return NULL;
    if ((stop = memchr(start, ',', (size_t)(end - start))) == NULL)
        stop = end;
    *list = stop;
    while (is_blank(stop[-1]))
        stop--;
    *n = (size_t)(stop - start);
    return start;
}

/* -1: no decimal number, or over 2^63 - 1. */
static int64_t
parse_length(const char *text, size_t n)
{
    int64_t length = 0;

    for (size_t i = 0; i < n; i++)
        if (!is_digit(text[i]) || __builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, text[i] - '0', &length))
            return -1;
    return length;
}

/* Equal lengths, in a list or in several fields, are one (RFC 9112 section 6.3). */
static int
add_lengths(struct response_framing *r, const char *value, size_t size, struct failure *err)
{
    const char *end = value + size, *text = next_element(&value, end, &size);

    if (text == NULL)
        return failure_set(err, ERROR_PROTOCOL_ERROR, "Content-Length is empty");
    for (; text != NULL; text = next_element(&value, end, &size)) {
        int64_t length = parse_length(text, size);

        if (length < 0)
            return failure_set(err, ERROR_PROTOCOL_ERROR,
                               "Content-Length is no decimal number below 2^63");
        if (r->length >= 0 && r->length != length)
            return failure_set(err, ERROR_PROTOCOL_ERROR,
                               "Content-Length is given twice, as %lld and as %lld",
                               (long long)r->length, (long long)length);
        r->length = length;
    }
    return 0;
}

static int
add_codings(struct response_framing *r, const char *value, size_t size, struct failure *err)
{
    const char *end = value + size, *text;
    bool found = false;

    while ((text = next_element(&value, end, &size)) != NULL) {
        if (r->chunked || size != strlen("chunked") || strncasecmp(text, "chunked", size) != 0)
            return failure_set(err, ERROR_PROTOCOL_ERROR,
                               "Transfer-Encoding is not `chunked` alone");
        r->chunked = found = true;
    }
    if (!found)
        return failure_set(err, ERROR_PROTOCOL_ERROR, "Transfer-Encoding is empty");
    return 0;
}

static bool
is_named(const char *name, size_t n, const char *expected)
{
    return n == strlen(expected) && strncasecmp(name, expected, n) == 0;
}

static int
refuse_blank(const char *field, struct failure *err)
{
    return failure_set(err, ERROR_PROTOCOL_ERROR, "a blank stands beside the name of %s", field);
}

int
response_framing_add(struct response_framing *r, const char *name, size_t name_size,
                     const char *value, size_t value_size, struct failure *err)
{
    size_t whole = name_size;

    while (name_size > 0 && is_blank(*name)) {
        name++;
        name_size--;
    }
    while (name_size > 0 && is_blank(name[name_size - 1]))
        name_size--;
    if (is_named(name, name_size, length_name))
        return whole != name_size ? refuse_blank("Content-Length", err)
                                  : add_lengths(r, value, value_size, err);
    if (is_named(name, name_size, coding_name))
        return whole != name_size ? refuse_blank("Transfer-Encoding", err)
                                  : add_codings(r, value, value_size, err);
    return 0;
}

bool
response_framing_is_field(const char *name)
{
    return strcasecmp(name, length_name) == 0 || strcasecmp(name, coding_name) == 0;
}

bool
response_framing_is_doubtful(const struct response_framing *r)
{
    return r->chunked && (r->http_1_0 || r->length >= 0);
}

int64_t
response_framing_known_length(const struct response_framing *r)
{
    return r->chunked ? RESPONSE_FRAMING_NO_LENGTH : r->length;
}
