/* cookie_match.c - which cookies a request carries, and in which order (RFC 6265 section 5.4). */

#include "http/cookie_match.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_address(const char *host)
{
    struct in6_addr a;

    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

bool
cookie_match_domain(const char *host, const char *domain)
{
    size_t h = strlen(host), d = strlen(domain);

    if (strcasecmp(host, domain) == 0)
        return true;
    return d > 0 && h > d + 1 && host[h - d - 1] == '.' && strcasecmp(host + h - d, domain) == 0 &&
           !is_address(host);
}

bool
cookie_match_path(const char *path, const char *cookie_path)
{
    size_t n = strlen(cookie_path);

    if (strncmp(path, cookie_path, n) != 0)
        return false;
    return path[n] == '\0' || path[n] == '/' || (n > 0 && cookie_path[n - 1] == '/');
}

/* A path that is none, "foo" or "" say, stands for all. */
static const char *
path_of(const struct cookie *c)
{
    return c->path != NULL && *c->path == '/' ? c->path : "/";
}

/* __Host- and __Secure- are promises that a connection in the clear cannot keep. */
static bool
needs_https(const struct cookie *c)
{
    return c->secure || strncasecmp(c->name, "__Secure-", 9) == 0 ||
           strncasecmp(c->name, "__Host-", 7) == 0;
}

static bool
suits_host(const struct cookie *c, const char *host)
{
    if (c->domain == NULL)
        return true;
    return c->host_only ? strcasecmp(host, c->domain) == 0 : cookie_match_domain(host, c->domain);
}

bool
cookie_match_target(const struct cookie *c, const struct cookie_target *t)
{
    return !c->deleted && (t->bound || !c->bound) && suits_host(c, t->host) &&
           cookie_match_path(t->path, path_of(c)) && (t->secure || !needs_https(c)) &&
           (c->expires == 0 || c->expires > t->now);
}

static bool
overlap(const struct cookie *a, const struct cookie *b)
{
    return a->domain != NULL && b->domain != NULL &&
           (cookie_match_domain(a->domain, b->domain) || cookie_match_domain(b->domain, a->domain));
}

bool
cookie_match_hides_secure(const struct cookie *other, const struct cookie *c)
{
    return other->secure && !other->deleted && strcmp(other->name, c->name) == 0 &&
           overlap(other, c) && cookie_match_path(path_of(c), path_of(other));
}

bool
cookie_match_hides_any_secure(const struct cookies *list, const struct cookie *c)
{
    for (size_t i = 0; i < list->count; i++)
        if (cookie_match_hides_secure(&list->items[i], c))
            return true;
    return false;
}

struct candidate {
    const struct cookie *cookie;
    size_t path_length, position;
};

static int
compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->path_length != y->path_length)
        return x->path_length > y->path_length ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static void
write_all(struct buffer *to, const struct candidate *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct cookie *c = all[i].cookie;

        buffer_adds(to, i > 0 ? "; " : "");
        buffer_adds(to, c->name);
        buffer_adds(to, *c->name != '\0' ? "=" : ""); /* 6265bis 5.8.3, step 3.3 */
        buffer_adds(to, c->value);
    }
}

void
cookie_match_write(struct buffer *to, const struct cookies *list, const struct cookie_target *t)
{
    struct candidate *all;
    size_t count = 0;

    if (list->count == 0)
        return;
    if ((all = calloc(list->count, sizeof all[0])) == NULL) {
        to->failed = true;
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct cookie *c = &list->items[i];

        if (cookie_match_target(c, t))
            all[count++] = (struct candidate){ c, strlen(path_of(c)), i };
    }
    qsort(all, count, sizeof all[0], compare);
    write_all(to, all, count);
    free(all);
}
