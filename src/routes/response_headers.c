/*
 * response_headers.c - the head of a streamed response: which of the origin's headers it keeps,
 * and what it adds.
 */

#include "routes/response_headers.h"

#include "http/field_syntax.h"

#include <string.h>
#include <strings.h>

static bool
is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

/* Is `name` an item of the comma-separated list? */
static bool
is_listed(const char *name, const char *list)
{
    size_t n = strlen(name);

    while (*list != '\0') {
        size_t m;

        list += strspn(list, ", \t");
        m = strcspn(list, ", \t");
        if (m == n && strncasecmp(list, name, n) == 0)
            return true;
        list += m;
    }
    return false;
}

/* RFC 9110 section 7.6.1: these, and whatever Connection names. */
static bool
is_hop_by_hop(const struct headers *headers, const char *name)
{
    static const char *const names[] = { "connection",
                                         "keep-alive",
                                         "proxy-connection",
                                         "proxy-authenticate",
                                         "proxy-authentication-info",
                                         "te",
                                         "trailer",
                                         "transfer-encoding",
                                         "upgrade",
                                         NULL };

    if (is_one_of(name, names))
        return true;
    for (size_t i = 0; i < headers->count; i++)
        if (strcasecmp(headers->items[i].name, "connection") == 0 &&
            is_listed(name, headers->items[i].value))
            return true;
    return false;
}

/* The origin's head tells of a body that does not come with it (RFC 9110 section 6.4.1). */
static bool
has_no_body(const struct curlew_fetch *f)
{
    int status = f->response.head.status;

    return strcmp(f->method, "HEAD") == 0 || status == 204 || status == 304;
}

/* add_body_fields() says it anew: the length once and where it is true, the codings that remain. */
static bool
is_about_body(const struct exchange *x, const char *name)
{
    return strcasecmp(name, "content-length") == 0 ||
           (strcasecmp(name, "content-encoding") == 0 && x->fetch->request.decompress &&
            !has_no_body(x->fetch));
}

/*
 * A web server would wait for the body that it is told of: where there is none, the length stands
 * in a field of ours, unless its own request is a HEAD, too.
 */
static void
add_body_fields(struct exchange *x)
{
    const struct curlew_fetch *f = x->fetch;
    const struct response *response = &f->response;
    long long length = response_framing_known_length(&response->framing);
    bool none = has_no_body(f);

    if (response->content_encoding != NULL && f->request.decompress && !none) {
        buffer_adds(&x->head, "Content-Encoding: ");
        field_syntax_add_value(&x->head, response->content_encoding);
        buffer_adds(&x->head, "\r\n");
    }
    if (length < 0 || response->head.status == 204 || (response->decoded && !none))
        return;
    if (!none || strcmp(exchange_method(x), "HEAD") == 0)
        buffer_printf(&x->head, "Content-Length: %lld\r\n", length);
    if (none && !x->handoff)
        buffer_printf(&x->head, "Curlew-Content-Length: %lld\r\n", length);
}

/* Beginnings of headers that web servers and the bridge obey as the word of the FastCGI server. */
static const char *const obeyed[] = { "status",     "x-accel-",    "curlew-",   "x-curlew-",
                                      "x-sendfile", "x-lighttpd-", "x-reproxy-" };

/*
 * In a handoff: what the view says of the page.  And what a browser keeps of the site as a whole,
 * for other pages and times: of that an origin has nothing to say.
 */
static bool
is_reserved(const struct exchange *x, const char *name)
{
    static const char *const names[] = {
        "set-cookie", "set-cookie2", "cache-control",   "expires",
        "pragma",     "age",         "clear-site-data", "strict-transport-security",
        "alt-svc",    "nel",         "report-to",       NULL
    };

    for (size_t i = 0; i < sizeof obeyed / sizeof obeyed[0]; i++)
        if (strncasecmp(name, obeyed[i], strlen(obeyed[i])) == 0)
            return true;
    return x->handoff && is_one_of(name, names);
}

static void
add_fetch_facts(struct exchange *x)
{
    const struct response *response = &x->fetch->response;
    const char *version = response_version_name(response->http_version);
    struct buffer *b = &x->head;

    buffer_printf(b, "Curlew-Url: %s\r\n", response->head.url != NULL ? response->head.url : "");
    buffer_printf(b, "Curlew-Http-Version: %s\r\n", version != NULL ? version : "");
    buffer_printf(b, "Curlew-Connection: %s; %s:%d\r\n", response->reused ? "reused" : "new",
                  response->remote_ip, response->remote_port);
    buffer_printf(b, "Curlew-Redirects: %zu\r\n", response->history_count);
    buffer_printf(b, "Curlew-Attempts: %d\r\n", response->attempts);
    if (response->body_not_replayed)
        buffer_adds(b, "Curlew-Body-Not-Replayed: true\r\n");
    buffer_printf(b, "Curlew-Session: %s\r\n", x->fetch->session->settings.name);
    if (response->impersonated != NULL)
        buffer_printf(b, "Curlew-Impersonated: %s\r\n", response->impersonated);
    buffer_printf(b, "Curlew-First-Byte: %.6f\r\n", response->timing.first_byte);
}

/*
 * nginx passes a head on at once only if nothing follows it, not even padding.  libfcgi pads
 * records to a multiple of 8 bytes, so blanks make the head such a multiple.  The status comes
 * last, as HAProxy makes a 302 of it if a Location comes later.
 */
static void
end_head(struct buffer *b, const struct response_head *head)
{
    struct buffer status;

    buffer_init(&status, SIZE_MAX / 2);
    buffer_printf(&status, "Status: %d ", head->status);
    field_syntax_add_value(&status, head->reason);
    buffer_adds(&status, "\r\n\r\n");
    buffer_adds(b, "X-Accel-Buffering:"); /* bytes pass as they come */
    do
        buffer_addc(b, ' ');
    while ((b->len + strlen("no\r\n") + status.len) % 8 != 0 && buffer_ok(b));
    buffer_adds(b, "no\r\n");
    buffer_add(b, status.data, status.len);
    b->failed |= !buffer_ok(&status);
    buffer_free(&status);
}

void
response_headers_write(struct exchange *x)
{
    const struct response_head *head = &x->fetch->response.head;
    const struct headers *headers = &head->headers;

    for (size_t i = 0; i < headers->count; i++) {
        const struct header *h = &headers->items[i];

        if (!field_syntax_is_token(h->name) || is_hop_by_hop(headers, h->name) ||
            is_about_body(x, h->name) || is_reserved(x, h->name))
            continue;
        buffer_adds(&x->head, h->name);
        buffer_adds(&x->head, ": ");
        field_syntax_add_value(&x->head, h->value);
        buffer_adds(&x->head, "\r\n");
    }
    add_body_fields(x);
    if (!x->handoff)
        add_fetch_facts(x);
    end_head(&x->head, head);
}
