/* location.c - where a Location field leads, read as browsers read it (WHATWG URL Standard). */

#include "http/location.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN 80 /* bytes of a Location that an error tells */

static bool
is_dropped(char c)
{
    return c == '\t' || c == '\r' || c == '\n';
}

static bool
is_around(char c)
{
    return (unsigned char)c <= ' ';
}

bool
location_is_empty(const char *location)
{
    while (*location != '\0' && is_around(*location))
        location++;
    return *location == '\0';
}

/* Without what browsers drop, and with slashes for backslashes before the query. */
static void
clean(struct buffer *to, const char *location)
{
    size_t n;
    bool in_query = false;

    while (*location != '\0' && is_around(*location))
        location++;
    for (n = strlen(location); n > 0 && is_around(location[n - 1]); n--)
        ;
    for (size_t i = 0; i < n; i++) {
        char c = location[i];

        in_query = in_query || c == '?' || c == '#';
        if (!is_dropped(c))
            buffer_addc(to, c == '\\' && !in_query ? '/' : c);
    }
}

/* The length of "scheme:" at its start; 0: none (RFC 3986 section 3.1). */
static size_t
scheme_length(const char *text)
{
    size_t n = 0;

    if (!isalpha((unsigned char)text[0]))
        return 0;
    while (isalnum((unsigned char)text[n]) || (text[n] != '\0' && strchr("+-.", text[n]) != NULL))
        n++;
    return text[n] == ':' ? n + 1 : 0;
}

static bool
is_http(const char *text, size_t n)
{
    return (n == 5 && strncasecmp(text, "http:", n) == 0) ||
           (n == 6 && strncasecmp(text, "https:", n) == 0);
}

/* What may stand as it is in a path or a query; "%" is not encoded again. */
static bool
is_plain(unsigned char c, bool in_query)
{
    if (c <= ' ' || c >= 0x7f)
        return false;
    return strchr(in_query ? "\"<>'" : "\"<>`{}^", c) == NULL;
}

static void
add_encoded(struct buffer *to, const char *text)
{
    bool in_query = false;

    for (; *text != '\0'; text++) {
        in_query = in_query || *text == '?';
        if (is_plain((unsigned char)*text, in_query))
            buffer_addc(to, *text);
        else
            url_encode(to, text, 1);
    }
}

/* The host begins behind the last "@"; libcurl takes the first one for that. */
static void
add_authority(struct buffer *to, const char *text, size_t n)
{
    const char *host = memrchr(text, '@', n), *end = text + n;

    for (; host != NULL && text < host; text++)
        if (is_plain((unsigned char)*text, false) && strchr("@[]|", *text) == NULL)
            buffer_addc(to, *text);
        else
            url_encode(to, text, 1);
    buffer_add(to, text, (size_t)(end - text));
}

/* scheme ":" "//" host and path: how many slashes there were is of no account. */
static void
add_absolute(struct buffer *to, const char *scheme, size_t n, const char *rest)
{
    size_t authority;

    rest += strspn(rest, "/");
    authority = strcspn(rest, "/?#");
    buffer_add(to, scheme, n);
    buffer_adds(to, "://");
    add_authority(to, rest, authority);
    add_encoded(to, rest + authority);
}

/* What libcurl resolves against the base: an absolute URL, or a path, query or fragment. */
static void
add_reference(struct buffer *to, const struct url *base, const char *text)
{
    size_t n = scheme_length(text), own = strlen(base->scheme);
    const char *rest = text + n;
    bool same = n == own + 1 && strncasecmp(text, base->scheme, own) == 0;
    bool has_host = strncmp(rest, "//", 2) == 0;

    if (n > 0 && (has_host || !same))
        add_absolute(to, text, n - 1, rest);
    else if (has_host)
        add_absolute(to, base->scheme, own, rest);
    else
        add_encoded(to, rest);
}

static int
resolve_clean(struct url *next, const struct url *base, const char *text, struct failure *err)
{
    struct failure bad = { 0 };
    struct buffer reference;
    size_t n = scheme_length(text);
    int rc = -1;

    if (n > 0 && !is_http(text, n))
        return failure_set(err, ERROR_BLOCKED,
                           "the origin redirects to \"%.*s\": schemes other than http and https "
                           "are refused everywhere",
                           SHOWN, text);
    buffer_init(&reference, SIZE_MAX / 2);
    buffer_adds(&reference, ""); /* "http:" under an http base leaves nothing */
    add_reference(&reference, base, text);
    if (!buffer_ok(&reference))
        failure_no_memory(err);
    else if ((rc = url_resolve(next, base, reference.data, &bad)) != 0)
        failure_set(err, bad.error == ERROR_INTERNAL ? bad.error : ERROR_PROTOCOL_ERROR,
                    "the origin redirects to a bad URL (%s)", bad.detail);
    buffer_free(&reference);
    return rc;
}

/* Those of the base stay at its origin, unless it names others: as curl, requests and httpx. */
static int
keep_credentials(struct url *next, const struct url *base, struct failure *err)
{
    if (next->user != NULL || next->password != NULL || strcmp(next->origin, base->origin) != 0 ||
        url_parts_copy_credentials(next, base) == 0)
        return 0;
    url_destroy(next);
    return failure_no_memory(err);
}

int
location_resolve(struct url *next, const struct url *base, const char *location,
                 struct failure *err)
{
    struct buffer text;
    int rc;

    buffer_init(&text, SIZE_MAX / 2);
    buffer_adds(&text, "");
    clean(&text, location);
    rc = buffer_ok(&text) ? resolve_clean(next, base, text.data, err) : failure_no_memory(err);
    buffer_free(&text);
    return rc == 0 ? keep_credentials(next, base, err) : rc;
}
