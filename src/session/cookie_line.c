/* cookie_line.c - a cookie as libcurl hands it over: a line of the Netscape format. */

#include "session/cookie_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTTP_ONLY "#HttpOnly_"

void
cookie_line_write(struct buffer *to, const struct cookie *c, const char *host)
{
    const char *domain = c->domain != NULL ? c->domain : host;

    buffer_printf(to, "%s%s%s\t%s\t%s\t%s\t%lld\t%s\t%s", c->http_only ? HTTP_ONLY : "",
                  c->domain != NULL ? "." : "", domain + strspn(domain, "."),
                  c->domain != NULL ? "TRUE" : "FALSE", c->path != NULL ? c->path : "/",
                  c->secure ? "TRUE" : "FALSE", (long long)c->expires, c->name, c->value);
}

void
cookie_line_split(struct cookie_line *l, const char *text)
{
    l->http_only = strncmp(text, HTTP_ONLY, strlen(HTTP_ONLY)) == 0;
    if (l->http_only)
        text += strlen(HTTP_ONLY);
    for (int i = 0; i < COOKIE_FIELDS; i++) {
        l->field[i] = text;
        l->size[i] = i < COOKIE_FIELDS - 1 ? strcspn(text, "\t") : strlen(text);
        text += l->size[i];
        text += *text == '\t';
    }
}

bool
cookie_line_is(const struct cookie_line *l, enum cookie_field f, const char *text)
{
    return strlen(text) == l->size[f] && memcmp(text, l->field[f], l->size[f]) == 0;
}

static bool
same_field(const struct cookie_line *a, const struct cookie_line *b, enum cookie_field f)
{
    return a->size[f] == b->size[f] && memcmp(a->field[f], b->field[f], a->size[f]) == 0;
}

bool
cookie_line_near(const struct cookie_line *a, const struct cookie_line *b)
{
    return same_field(a, b, COOKIE_DOMAIN);
}

bool
cookie_line_same(const struct cookie_line *a, const struct cookie_line *b)
{
    return cookie_line_near(a, b) && same_field(a, b, COOKIE_PATH) && same_field(a, b, COOKIE_NAME);
}

bool
cookie_lines_hold(const struct curl_slist *lines, const struct cookie_line *wanted)
{
    for (; lines != NULL; lines = lines->next) {
        struct cookie_line l;

        cookie_line_split(&l, lines->data);
        if (cookie_line_same(&l, wanted))
            return true;
    }
    return false;
}

bool
cookie_line_suits(const struct cookie_line *l, const char *host)
{
    const char *domain = l->field[COOKIE_DOMAIN];
    size_t n = l->size[COOKIE_DOMAIN], all = strlen(host);

    if (n > 0 && *domain == '.') {
        domain++;
        n--;
    }
    if (n > all || strncasecmp(domain, host + all - n, n) != 0)
        return false;
    return n == all || (cookie_line_is(l, COOKIE_TAIL, "TRUE") && host[all - n - 1] == '.');
}

int64_t
cookie_line_expires(const struct cookie_line *l)
{
    return strtoll(l->field[COOKIE_EXPIRES], NULL, 10);
}

/* A copy of one field that is a string; NULL: no memory. */
static char *
text_of(const struct cookie_line *l, enum cookie_field f)
{
    const char *text = l->field[f];
    size_t n = l->size[f];

    if (f == COOKIE_DOMAIN && n > 0 && *text == '.')
        return strndup(text + 1, n - 1);
    return strndup(text, n);
}

int
cookie_line_add(struct cookies *to, const struct cookie_line *l)
{
    struct cookie c = {
        .name = text_of(l, COOKIE_NAME),
        .value = text_of(l, COOKIE_VALUE),
        .domain = text_of(l, COOKIE_DOMAIN),
        .path = text_of(l, COOKIE_PATH),
        .secure = cookie_line_is(l, COOKIE_SECURE, "TRUE"),
        .http_only = l->http_only,
        .expires = cookie_line_expires(l),
    };
    bool whole = c.name != NULL && c.value != NULL && c.domain != NULL && c.path != NULL;
    int rc = whole ? cookies_add(to, &c) : -1;

    free(c.name);
    free(c.value);
    free(c.domain);
    free(c.path);
    return rc;
}
