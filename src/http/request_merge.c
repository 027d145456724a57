/* request_merge.c - a request completed from a session's defaults. */

#include "http/request_merge.h"

#include <stdlib.h>
#include <string.h>

static int
inherit_headers(struct request *r, const struct request *d)
{
    size_t own = r->headers.count;

    for (size_t i = 0; i < d->headers.count; i++) {
        const struct header *p = &d->headers.items[i];
        struct headers asked = { r->headers.items, own, NULL };

        if (!headers_has(&asked, p->name) &&
            headers_add(&r->headers, p->name, strlen(p->name), p->value,
                        p->value ? strlen(p->value) : 0) != 0)
            return -1;
    }
    return 0;
}

static int
inherit_cookies(struct request *r, const struct request *d)
{
    size_t own = r->cookies.count;

    for (size_t i = 0; i < d->cookies.count; i++) {
        struct cookies asked = { r->cookies.items, own };

        if (!cookies_has(&asked, d->cookies.items[i].name) &&
            cookies_add(&r->cookies, &d->cookies.items[i]) != 0)
            return -1;
    }
    return 0;
}

static int
inherit_lists(struct request *r, const struct request *d)
{
    if (inherit_headers(r, d) != 0 || inherit_cookies(r, d) != 0)
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
    /* Each key, given or not: a proxy that the session lent was not given. */
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (request_key_copy(to, from, key) != 0)
            return failure_no_memory(err);
    for (size_t i = 0; i < from->part_count; i++)
        if (request_add_part(to, &from->parts[i], err) != 0)
            return -1;
    if (copy_body(to, from) != 0 || headers_add_all(&to->trace, &from->trace) != 0)
        return failure_no_memory(err);
    return 0;
}
