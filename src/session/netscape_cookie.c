/* netscape_cookie.c - a cookie as one line of the Netscape format. */

#include "session/netscape_cookie.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTTP_ONLY "#HttpOnly_"

void
netscape_cookie_write(struct buffer *to, const struct cookie *c, const char *host)
{
    const char *domain = c->domain != NULL ? c->domain : host;

    buffer_printf(to, "%s%s%s\t%s\t%s\t%s\t%lld\t%s\t%s", c->http_only ? HTTP_ONLY : "",
                  c->domain != NULL ? "." : "", domain + strspn(domain, "."),
                  c->domain != NULL ? "TRUE" : "FALSE", c->path != NULL ? c->path : "/",
                  c->secure ? "TRUE" : "FALSE", (long long)c->expires, c->name, c->value);
}

void
netscape_cookie_parse(struct netscape_cookie *l, const char *text)
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
netscape_cookie_field_equals(const struct netscape_cookie *l, enum netscape_field f,
                             const char *text)
{
    return strlen(text) == l->size[f] && memcmp(text, l->field[f], l->size[f]) == 0;
}

static bool
same_field(const struct netscape_cookie *a, const struct netscape_cookie *b, enum netscape_field f)
{
    return a->size[f] == b->size[f] && memcmp(a->field[f], b->field[f], a->size[f]) == 0;
}

bool
netscape_cookie_same_domain(const struct netscape_cookie *a, const struct netscape_cookie *b)
{
    return same_field(a, b, COOKIE_DOMAIN);
}

bool
netscape_cookie_same(const struct netscape_cookie *a, const struct netscape_cookie *b)
{
    return netscape_cookie_same_domain(a, b) && same_field(a, b, COOKIE_PATH) &&
           same_field(a, b, COOKIE_NAME);
}

bool
netscape_cookie_same_as_line(const struct netscape_cookie *a, const char *line)
{
    struct netscape_cookie b;

    netscape_cookie_parse(&b, line);
    return netscape_cookie_same(a, &b);
}

bool
netscape_cookie_matches_host(const struct netscape_cookie *l, const char *host)
{
    const char *domain = l->field[COOKIE_DOMAIN];
    size_t n = l->size[COOKIE_DOMAIN], all = strlen(host);

    if (n > 0 && *domain == '.') {
        domain++;
        n--;
    }
    if (n > all || strncasecmp(domain, host + all - n, n) != 0)
        return false;
    return n == all ||
           (netscape_cookie_field_equals(l, COOKIE_TAIL, "TRUE") && host[all - n - 1] == '.');
}

int64_t
netscape_cookie_expires(const struct netscape_cookie *l)
{
    return strtoll(l->field[COOKIE_EXPIRES], NULL, 10);
}

/* A copy of the field as a string, of a domain without its leading dot; NULL: no memory. */
static char *
copy_field(const struct netscape_cookie *l, enum netscape_field f)
{
    const char *text = l->field[f];
    size_t n = l->size[f];

    if (f == COOKIE_DOMAIN && n > 0 && *text == '.')
        return strndup(text + 1, n - 1);
    return strndup(text, n);
}

int
netscape_cookie_append(struct cookies *to, const struct netscape_cookie *l)
{
    struct cookie c = {
        .name = copy_field(l, COOKIE_NAME),
        .value = copy_field(l, COOKIE_VALUE),
        .domain = copy_field(l, COOKIE_DOMAIN),
        .path = copy_field(l, COOKIE_PATH),
        .secure = netscape_cookie_field_equals(l, COOKIE_SECURE, "TRUE"),
        .http_only = l->http_only,
        .expires = netscape_cookie_expires(l),
    };
    bool whole = c.name != NULL && c.value != NULL && c.domain != NULL && c.path != NULL;
    int rc = whole ? cookies_add(to, &c) : -1;

    free(c.name);
    free(c.value);
    free(c.domain);
    free(c.path);
    return rc;
}
