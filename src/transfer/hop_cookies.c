/* hop_cookies.c - the cookies of one fetch, from hop to hop. */

#include "transfer/hop_cookies.h"

#include "http/cookie_match.h"
#include "http/set_cookie.h"
#include "transfer/hop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SET_MAX       1000      /* cookies set in one chain: a jar takes less of one domain */
#define SET_BYTES_MAX (1 << 20) /* of their fields */

/* -- whose cookies ------------------------------------------------------- */

/*
 * They go by the URL, never by a Host field: a caller could otherwise have another host's cookies
 * sent to an origin of his own, or have that origin set some.
 */
static bool
is_secure(const struct curlew_fetch *f)
{
    return strcmp(f->url.scheme, "https") == 0;
}

static struct cookie_jar *
jar_of(const struct curlew_fetch *f)
{
    return f->session->settings.shared_jar ? f->session->state->jar : NULL;
}

/* -- before a hop -------------------------------------------------------- */

/* One that names no domain is for the first host alone.  The text stays another's. */
static struct cookie
with_host(const struct cookie *own, const char *host, bool bound)
{
    struct cookie c = *own;

    c.bound = bound;
    if (c.domain == NULL) {
        c.domain = (char *)host;
        c.host_only = true;
    }
    return c;
}

static int
add_own_cookie(struct cookies *list, const struct cookie *own, const char *host, bool bound)
{
    struct cookie c = with_host(own, host, bound);
    const struct cookie *same = cookies_find(list, &c);

    c.lent = same != NULL && same->lent;
    return cookies_put(list, &c);
}

#define WALK_MAX 1024 /* comparisons; above, to sort is quicker */

/* Those of the request in the list of the hop: the first `callers` are the caller's own. */
static int
add_own_cookies(struct cookies *list, const struct cookies *own, size_t callers, const char *host)
{
    struct cookies named = { 0 };
    int rc = 0;

    if (own->count <= WALK_MAX / (own->count + list->count + 1)) {
        for (size_t i = 0; i < own->count && rc == 0; i++)
            rc = add_own_cookie(list, &own->items[i], host, i >= callers);
        return rc;
    }
    if ((named.items = calloc(own->count, sizeof named.items[0])) == NULL)
        return -1;
    for (; named.count < own->count; named.count++)
        named.items[named.count] =
            with_host(&own->items[named.count], host, named.count >= callers);
    rc = cookies_put_all(list, &named);
    free(named.items); /* the text is the request's */
    return rc;
}

static int
collect(struct curlew_fetch *f, int64_t now)
{
    const struct cookies *own = &f->request.cookies;
    size_t callers = own->count - f->request.lent_cookies;
    const char *host = f->url.host;
    struct hop *hop = f->hop;

    if (jar_of(f) != NULL && cookie_jar_export(jar_of(f), host, now, &hop->cookies) != 0)
        return -1;
    if (!hop->has_own_cookies && add_own_cookies(&hop->cookies, own, callers, host) != 0)
        return -1;
    hop->has_own_cookies = true;
    return 0;
}

/* What headers say goes behind: the request's never to another origin, the session's to its own. */
static void
add_given_fields(struct buffer *field, const struct curlew_fetch *f)
{
    const struct headers *h = &f->request.headers;

    for (size_t i = 0; i < h->count; i++) {
        bool lent = request_is_lent_header(&f->request, i);
        const char *value = h->items[i].value;

        if (strcasecmp(h->items[i].name, "cookie") != 0 || value == NULL || *value == '\0' ||
            !(lent ? fetch_may_lend(f) : f->same_origin))
            continue;
        buffer_adds(field, field->len > 0 ? "; " : "");
        buffer_adds(field, value);
    }
}

static int
refuse_field(struct curlew_fetch *f)
{
    if (f->redirects == 0 && f->response.attempts == 1)
        return failure_set(&f->failure, ERROR_BAD_REQUEST,
                           "cookies: those for this URL, the session's and a Cookie header's "
                           "among them, are over %d bytes together",
                           HOP_COOKIES_FIELD_MAX);
    return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                       "cookies: with those that responses have set, they are over %d bytes "
                       "together",
                       HOP_COOKIES_FIELD_MAX);
}

/* libcurl copies the field. */
static int
set_field(struct curlew_fetch *f, int64_t now)
{
    const struct cookie_target target = { .host = f->url.host,
                                          .path = f->url.path,
                                          .secure = is_secure(f),
                                          .now = now,
                                          .bound = fetch_may_lend(f) };
    struct buffer field;
    int rc = 0;

    buffer_init(&field, SIZE_MAX / 2);
    cookie_match_write(&field, &f->hop->cookies, &target);
    add_given_fields(&field, f);
    if (field.len > HOP_COOKIES_FIELD_MAX)
        rc = refuse_field(f);
    f->hop->cookie_bytes = field.len;
    if (field.failed || (field.len > 0 && hop_set(f->hop, CURLOPT_COOKIE, field.data) != CURLE_OK))
        rc = failure_no_memory(&f->failure);
    buffer_free(&field);
    return rc;
}

int
hop_cookies_send(struct curlew_fetch *f)
{
    int64_t now = time(NULL);

    if (collect(f, now) != 0)
        return failure_no_memory(&f->failure);
    return set_field(f, now);
}

/* -- after a head -------------------------------------------------------- */

/* `c` becomes part of the fetch's list and of the response's. */
static int
record(struct curlew_fetch *f, struct cookie *c)
{
    const struct cookie *known = cookies_find(&f->hop->cookies, c);

    c->lent = known != NULL && known->lent;
    c->renewed = known != NULL && (known->deleted || known->renewed);
    if (c->deleted)
        c->value[0] = '\0';
    return cookies_put(&f->hop->cookies, c) || cookies_put(&f->response.cookies, c) ? -1 : 0;
}

/* Cookies that came in the clear leave Secure ones alone, whichever host these are for. */
static bool
hides_secure(const struct curlew_fetch *f, const struct cookie *c)
{
    const struct cookies *known = &f->hop->cookies;

    return cookie_match_hides_any_secure(known, c) ||
           (jar_of(f) != NULL && cookie_jar_hides_secure(jar_of(f), c, known));
}

static int
receive_field(struct curlew_fetch *f, const char *value, const struct set_cookie_origin *from,
              int64_t now)
{
    struct cookie c;
    enum set_cookie result = set_cookie_parse(&c, value, from, now);
    int rc = 0;

    if (result == SET_COOKIE_NO_MEMORY)
        return -1;
    if (result == SET_COOKIE_IGNORE)
        return 0;
    c.deleted = result == SET_COOKIE_DELETE;
    f->hop->set_bytes += strlen(value);
    if (f->response.cookies.count < SET_MAX && f->hop->set_bytes <= SET_BYTES_MAX &&
        (from->secure || !hides_secure(f, &c)))
        rc = record(f, &c);
    cookies_destroy_one(&c);
    return rc;
}

int
hop_cookies_receive(struct curlew_fetch *f)
{
    const struct response_head *head = &f->response.head;
    const struct set_cookie_origin from = { f->url.host, f->url.path, is_secure(f) };
    int64_t now = time(NULL);

    if (!headers_has(&head->headers, "set-cookie"))
        return 0;
    for (size_t i = 0; i < head->headers.count; i++)
        if (strcasecmp(head->headers.items[i].name, "set-cookie") == 0 &&
            receive_field(f, head->headers.items[i].value, &from, now) != 0)
            return failure_no_memory(&f->failure);
    if (head->status == 401 && f->request.auth == AUTH_DIGEST)
        return set_field(f, now);
    return 0;
}

/* -- at the end ---------------------------------------------------------- */

int
hop_cookies_store(struct curlew_fetch *f)
{
    if (f->hop == NULL || jar_of(f) == NULL)
        return 0;
    if (cookie_jar_import(jar_of(f), &f->response.cookies, time(NULL)) == 0)
        return 0;
    return failure_no_memory(&f->failure); /* a login that is lost is no success */
}

void
hop_cookies_finish(struct curlew_fetch *f)
{
    cookies_destroy(&f->hop->cookies);
    f->hop->has_own_cookies = false;
    f->hop->set_bytes = 0;
}
