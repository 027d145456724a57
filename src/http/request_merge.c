/* request_merge.c - a request completed from a session's defaults. */

#include "http/request_merge.h"

#include "util/text.h"

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
inherit_texts(struct request *r, const struct request *d, uint32_t open)
{
    if (open & SET_METHOD && text_copy(&r->method, d->method))
        return -1;
    if (open & SET_TAG && text_copy(&r->tag, d->tag))
        return -1;
    if (open & SET_IMPERSONATE && text_copy(&r->impersonate, d->impersonate))
        return -1;
    if (open & SET_PROXY && text_copy(&r->proxy, d->proxy))
        return -1;
    if (open & SET_RETRY_METHODS && text_copy(&r->retries.methods, d->retries.methods))
        return -1;
    /* They were given for the session's own proxy, not for one that the caller names. */
    if (open & SET_PROXY_AUTH && !(r->set & SET_PROXY) &&
        (text_copy(&r->proxy_auth.user, d->proxy_auth.user) ||
         text_copy(&r->proxy_auth.password, d->proxy_auth.password)))
        return -1;
    if (!(open & SET_AUTH))
        return 0;
    r->auth = d->auth;
    return text_copy(&r->auth_pair.user, d->auth_pair.user) ||
                   text_copy(&r->auth_pair.password, d->auth_pair.password) ||
                   text_copy(&r->auth_token, d->auth_token)
               ? -1
               : 0;
}

static void
inherit_numbers(struct request *r, const struct request *d, uint32_t open)
{
#define INHERIT(bit, field) \
    if (open & (bit))       \
    r->field = d->field
    INHERIT(SET_CONNECT_TIMEOUT, connect_timeout_ms);
    INHERIT(SET_TOTAL_TIMEOUT, total_timeout_ms);
    INHERIT(SET_IDLE_TIMEOUT, idle_timeout_ms);
    INHERIT(SET_FOLLOW_REDIRECTS, follow_redirects);
    INHERIT(SET_MAX_REDIRECTS, max_redirects);
    INHERIT(SET_VERIFY, verify);
    INHERIT(SET_HTTP_VERSION, http_version);
    INHERIT(SET_DECOMPRESS, decompress);
    INHERIT(SET_COALESCE, coalesce);
    INHERIT(SET_MAX_BODY_BYTES, max_body_bytes);
    INHERIT(SET_RESPONSE_BODY, response_body);
    INHERIT(SET_MAX_RECV_SPEED, max_recv_speed);
    INHERIT(SET_RETRIES, retries.max);
    INHERIT(SET_BACKOFF, retries.backoff_ms);
    INHERIT(SET_MAX_BACKOFF, retries.max_backoff_ms);
    INHERIT(SET_RETRY_AFTER, retries.respect_retry_after);
#undef INHERIT
    if (open & SET_RETRY_STATUSES)
        memcpy(r->retries.statuses, d->retries.statuses, sizeof r->retries.statuses);
}

int
request_merge_defaults(struct request *r, const struct request *defaults, struct failure *err)
{
    uint32_t open = defaults->set & ~r->set;

    inherit_numbers(r, defaults, open);
    if (inherit_texts(r, defaults, open) != 0 || inherit_lists(r, defaults) != 0)
        return failure_no_memory(err);
    r->set |= open;
    return 0;
}

int
request_merge_copy(struct request *to, const struct request *from, struct failure *err)
{
    if (request_merge_defaults(to, from, err) != 0)
        return -1;
    for (size_t i = 0; i < from->part_count; i++)
        if (request_add_part(to, &from->parts[i], err) != 0)
            return -1;
    if (headers_add_all(&to->trace, &from->trace) != 0)
        return failure_no_memory(err);
    to->body_size = from->body_size;
    to->body_type = from->body_type;
    if (from->body != NULL) {
        if ((to->body = malloc(from->body_size + 1)) == NULL)
            return failure_no_memory(err);
        memcpy(to->body, from->body, from->body_size + 1);
    }
    if (text_copy(&to->url, from->url) || text_copy(&to->session, from->session))
        return failure_no_memory(err);
    return 0;
}
