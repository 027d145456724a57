/* request_merge.c - a request completed from a session's defaults. */

#include "http/request_merge.h"

#include "util/match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Below so many comparisons, a walk is quicker than to sort, and takes no memory. */
#define WALK_MAX 1024

/* Of each default, MATCH_NONE or where the request has the same name.  NULL: no memory. */
static size_t *
find_own(const struct match_list *defaults, const struct match_list *own, match_compare *compare)
{
    size_t *found = malloc((defaults->count + 1) * sizeof found[0]);

    if (found != NULL && match_first(found, defaults, own, compare) != 0) {
        free(found);
        return NULL;
    }
    return found;
}

static int
compare_headers(const void *a, const void *b)
{
    return strcasecmp(((const struct header *)a)->name, ((const struct header *)b)->name);
}

static int
inherit_header(struct request *r, const struct header *p)
{
    return headers_add(&r->headers, p->name, strlen(p->name), p->value,
                       p->value != NULL ? strlen(p->value) : 0);
}

static int
inherit_many_headers(struct request *r, const struct headers *d)
{
    const struct match_list defaults = { d->items, d->count, sizeof d->items[0] };
    const struct match_list own = { r->headers.items, r->headers.count, sizeof d->items[0] };
    size_t *found = find_own(&defaults, &own, compare_headers);
    int rc = found != NULL ? 0 : -1;

    for (size_t i = 0; i < d->count && rc == 0; i++)
        if (found[i] == MATCH_NONE)
            rc = inherit_header(r, &d->items[i]);
    free(found);
    return rc;
}

static int
inherit_headers(struct request *r, const struct headers *d)
{
    size_t own = r->headers.count;

    if (own > 0 && d->count > WALK_MAX / own)
        return inherit_many_headers(r, d);
    for (size_t i = 0; i < d->count; i++) {
        const struct headers asked = { r->headers.items, own, NULL };

        if (!headers_has(&asked, d->items[i].name) && inherit_header(r, &d->items[i]) != 0)
            return -1;
    }
    r->lent_headers += r->headers.count - own; /* a second time: behind those of the first */
    return 0;
}

static int
compare_cookies(const void *a, const void *b)
{
    return strcmp(((const struct cookie *)a)->name, ((const struct cookie *)b)->name);
}

static int
inherit_many_cookies(struct request *r, const struct cookies *d)
{
    const struct match_list defaults = { d->items, d->count, sizeof d->items[0] };
    const struct match_list own = { r->cookies.items, r->cookies.count, sizeof d->items[0] };
    size_t *found = find_own(&defaults, &own, compare_cookies);
    int rc = found != NULL ? 0 : -1;

    for (size_t i = 0; i < d->count && rc == 0; i++)
        if (found[i] == MATCH_NONE)
            rc = cookies_add(&r->cookies, &d->items[i]);
    free(found);
    return rc;
}

static int
inherit_cookies(struct request *r, const struct cookies *d)
{
    size_t own = r->cookies.count;

    if (own > 0 && d->count > WALK_MAX / own)
        return inherit_many_cookies(r, d);
    for (size_t i = 0; i < d->count; i++) {
        struct cookies asked = { r->cookies.items, own };

        if (!cookies_has(&asked, d->items[i].name) && cookies_add(&r->cookies, &d->items[i]) != 0)
            return -1;
    }
    r->lent_cookies += r->cookies.count - own;
    return 0;
}

static int
inherit_lists(struct request *r, const struct request *d)
{
    if (inherit_headers(r, &d->headers) != 0 || inherit_cookies(r, &d->cookies) != 0)
        return -1;
    /* One list or the other, never a mixture. */
    return r->forward.count > 0 ? 0 : headers_add_all(&r->forward, &d->forward);
}

static int
inherit_keys(struct request *r, const struct request *d)
{
    uint64_t open = d->set & ~r->set;

    /* They were given for the session's own proxy, not for one that the caller names. */
    if (r->set & SET_PROXY)
        open &= ~(uint64_t)SET_PROXY_AUTH;
    r->lent |= open;
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if ((open >> key & 1) != 0 && request_key_is_tracked(key) &&
            request_key_copy(r, d, key) != 0)
            return -1;
    return 0;
}

int
request_merge_defaults(struct request *r, const struct request *defaults, struct failure *err)
{
    if (inherit_keys(r, defaults) != 0 || inherit_lists(r, defaults) != 0)
        return failure_no_memory(err);
    return 0;
}

static int
copy_body(struct request *to, const struct request *from)
{
    to->body_size = from->body_size;
    to->body_type = from->body_type;
    if (from->body == NULL)
        return 0;
    if ((to->body = malloc(from->body_size + 1)) == NULL)
        return -1;
    memcpy(to->body, from->body, from->body_size + 1);
    return 0;
}

int
request_merge_copy(struct request *to, const struct request *from, struct failure *err)
{
    to->most = from->most;
    /* Each key, given or not: a proxy that the session lent was not given. */
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (request_key_copy(to, from, key) != 0)
            return failure_no_memory(err);
    to->lent = from->lent;
    to->lent_headers = from->lent_headers;
    to->lent_cookies = from->lent_cookies;
    for (size_t i = 0; i < from->part_count; i++)
        if (request_add_part(to, &from->parts[i], err) != 0)
            return -1;
    if (copy_body(to, from) != 0 || headers_add_all(&to->trace, &from->trace) != 0)
        return failure_no_memory(err);
    return 0;
}
