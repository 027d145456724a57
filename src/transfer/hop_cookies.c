/* hop_cookies.c - the cookies of one fetch, from hop to hop. */

#include "transfer/hop_cookies.h"

#include "http/cookie_match.h"
#include "http/set_cookie.h"
#include "transfer/hop.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SET_MAX       1000      /* cookies set in one chain: a jar takes less of one domain */
#define SET_BYTES_MAX (1 << 20) /* of their fields */
#define HOST_BYTES    256

/* -- whose cookies ------------------------------------------------------- */

/*
 * The Host field's value without its port, in lower case; IPv6 without brackets.  One that is too
 * long has no cookies: cut short, it could look like another host.
 */
static void
read_host_field(char *host, const char *value)
{
    size_t n = strcspn(value, ": \t");

    if (*value == '[') {
        value++;
        n = strcspn(value, "]");
    }
    if (n >= HOST_BYTES)
        n = 0;
    memcpy(host, value, n);
    host[n] = '\0';
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* `named` has room for HOST_BYTES. */
static const char *
find_host(const struct curlew_fetch *f, char *named)
{
    const char *value = f->same_origin ? headers_get(&f->request.headers, "host") : NULL;

    if (value == NULL)
        return f->url.host;
    read_host_field(named, value);
    return named;
}

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

/* One that names no domain is for the first host alone. */
static int
add_own_cookie(struct cookies *list, const struct cookie *own, const char *host)
{
    struct cookie c = *own;
    const struct cookie *same;

    if (c.domain == NULL) {
        c.domain = (char *)host; /* copied below */
        c.host_only = true;
    }
    same = cookies_find(list, &c);
    c.lent = same != NULL && same->lent;
    return cookies_put(list, &c);
}

static int
collect(struct curlew_fetch *f, const char *host, int64_t now)
{
    const struct cookies *own = &f->request.cookies;
    struct hop *hop = f->hop;

    if (jar_of(f) != NULL && cookie_jar_export(jar_of(f), host, now, &hop->cookies) != 0)
        return -1;
    for (size_t i = 0; i < own->count && !hop->has_own_cookies; i++)
        if (add_own_cookie(&hop->cookies, &own->items[i], host) != 0)
            return -1;
    hop->has_own_cookies = true;
    return 0;
}

/* What the request's headers say goes behind; never to another origin. */
static void
add_given_fields(struct buffer *field, const struct curlew_fetch *f)
{
    const struct headers *h = &f->request.headers;

    for (size_t i = 0; i < h->count && f->same_origin; i++)
        if (strcasecmp(h->items[i].name, "cookie") == 0 && h->items[i].value != NULL &&
            *h->items[i].value != '\0') {
            buffer_adds(field, field->len > 0 ? "; " : "");
            buffer_adds(field, h->items[i].value);
        }
}

static int
refuse_field(struct curlew_fetch *f)
{
    if (f->redirects == 0 && f->response.attempts == 1)
        return failure_set(&f->failure, ERROR_BAD_REQUEST,
                           "cookies: those for this URL, the session's among them, are over %d "
                           "bytes together",
                           HOP_COOKIES_FIELD_MAX);
    return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                       "cookies: with those that responses have set, they are over %d bytes "
                       "together",
                       HOP_COOKIES_FIELD_MAX);
}

/* libcurl copies the field. */
static int
set_field(struct curlew_fetch *f, const char *host, int64_t now)
{
    const struct cookie_target target = { host, f->url.path, is_secure(f), now };
    struct buffer field;
    int rc = 0;

    buffer_init(&field, SIZE_MAX / 2);
    cookie_match_write(&field, &f->hop->cookies, &target);
    if (field.len > HOP_COOKIES_FIELD_MAX)
        rc = refuse_field(f);
    add_given_fields(&field, f);
    if (field.failed ||
        (field.len > 0 && curl_easy_setopt(f->hop->easy, CURLOPT_COOKIE, field.data) != CURLE_OK))
        rc = failure_no_memory(&f->failure);
    buffer_free(&field);
    return rc;
}

int
hop_cookies_send(struct curlew_fetch *f)
{
    char named[HOST_BYTES];
    const char *host = find_host(f, named);
    int64_t now = time(NULL);

    if (collect(f, host, now) != 0)
        return failure_no_memory(&f->failure);
    return set_field(f, host, now);
}

/* -- after a head -------------------------------------------------------- */

/* `c` becomes part of the fetch's list and of the response's. */
static int
record(struct curlew_fetch *f, struct cookie *c)
{
    const struct cookie *known = cookies_find(&f->hop->cookies, c);

    c->lent = known != NULL && known->lent;
    if (c->deleted)
        c->value[0] = '\0';
    return cookies_put(&f->hop->cookies, c) || cookies_put(&f->response.cookies, c) ? -1 : 0;
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
        (from->secure || c.secure || !cookie_match_hides_secure(&f->hop->cookies, &c)))
        rc = record(f, &c);
    cookies_destroy_one(&c);
    return rc;
}

int
hop_cookies_receive(struct curlew_fetch *f)
{
    const struct response_head *head = &f->response.head;
    char named[HOST_BYTES];
    const struct set_cookie_origin from = { find_host(f, named), f->url.path, is_secure(f) };
    int64_t now = time(NULL);

    if (!headers_has(&head->headers, "set-cookie"))
        return 0;
    for (size_t i = 0; i < head->headers.count; i++)
        if (strcasecmp(head->headers.items[i].name, "set-cookie") == 0 &&
            receive_field(f, head->headers.items[i].value, &from, now) != 0)
            return failure_no_memory(&f->failure);
    if (head->status == 401 && f->request.auth == AUTH_DIGEST)
        return set_field(f, from.host, now);
    return 0;
}

/* -- at the end ---------------------------------------------------------- */

void
hop_cookies_finish(struct curlew_fetch *f)
{
    if (jar_of(f) != NULL)
        cookie_jar_import(jar_of(f), &f->response.cookies, time(NULL)); /* without memory: lost */
    cookies_destroy(&f->hop->cookies);
    f->hop->has_own_cookies = false;
    f->hop->set_bytes = 0;
}
