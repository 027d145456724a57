/*
 * response_headers.c - which of an origin's headers pass through a stream, and what is said about
 * the fetch.
 */

#include "routes/response_headers.h"

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

/*
 * What the origin says of an encoding that libcurl has undone, or of a body it kept, is not true
 * here.
 */
static bool
is_undone(const struct exchange *c, const char *name)
{
    static const char *const names[] = { "content-encoding", "content-length", NULL };
    const struct headers *h = &c->fetch->response.head.headers;

    if (strcmp(c->fetch->method, "HEAD") == 0 && strcasecmp(name, "content-length") == 0)
        return true;
    if (!c->fetch->request.decompress || !is_one_of(name, names))
        return false;
    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, "content-encoding") == 0)
            return true;
    return false;
}

/* Beginnings of what a web server would take for words of this server, and obey. */
static const char *const obeyed[] = { "status",     "x-accel-",    "curlew-",
                                      "x-sendfile", "x-lighttpd-", "x-reproxy-" };

static bool
is_ours_to_say(const struct exchange *c, const char *name)
{
    static const char *const names[] = { "set-cookie", "set-cookie2", "cache-control",
                                         "expires",    "pragma",      "age",
                                         NULL };

    for (size_t i = 0; i < sizeof obeyed / sizeof obeyed[0]; i++)
        if (strncasecmp(name, obeyed[i], strlen(obeyed[i])) == 0)
            return true;
    return c->handoff && is_one_of(name, names);
}

static void
add_facts(struct exchange *c)
{
    const struct response *r = &c->fetch->response;
    const char *version = response_version_name(r->http_version);
    struct buffer *b = &c->head;

    buffer_printf(b, "Curlew-Url: %s\r\n", r->head.url != NULL ? r->head.url : "");
    buffer_printf(b, "Curlew-Http-Version: %s\r\n", version != NULL ? version : "");
    buffer_printf(b, "Curlew-Connection: %s; %s:%d\r\n", r->reused ? "reused" : "new", r->remote_ip,
                  r->remote_port);
    buffer_printf(b, "Curlew-Redirects: %zu\r\n", r->history_count);
    buffer_printf(b, "Curlew-Attempts: %d\r\n", r->attempts);
    buffer_printf(b, "Curlew-Session: %s\r\n", c->fetch->session->settings.name);
    buffer_printf(b, "Curlew-First-Byte: %.6f\r\n", r->timing.first_byte);
}

/*
 * nginx sends a head on at once only where nothing follows it, not even the padding of its record,
 * which libfcgi fills up to 8 bytes: so the head is made to need none.  The status comes last, as
 * HAProxy makes a 302 of a Location that comes after it.
 */
static void
end_head(struct buffer *b, const struct response_head *head)
{
    struct buffer status;

    buffer_init(&status, SIZE_MAX / 2);
    buffer_printf(&status, "Status: %d %s\r\n\r\n", head->status, head->reason);
    buffer_adds(b, "X-Accel-Buffering:"); /* bytes pass as they come */
    do
        buffer_addc(b, ' ');
    while ((b->len + strlen("no\r\n") + status.len) % 8 != 0 && buffer_ok(b));
    buffer_adds(b, "no\r\n");
    buffer_add(b, status.data, status.len);
    buffer_free(&status);
}

void
response_headers_write(struct exchange *c)
{
    const struct response_head *head = &c->fetch->response.head;
    const struct headers *h = &head->headers;

    for (size_t i = 0; i < h->count; i++) {
        const struct header *p = &h->items[i];

        if (is_hop_by_hop(h, p->name) || is_undone(c, p->name) || is_ours_to_say(c, p->name))
            continue;
        buffer_adds(&c->head, p->name);
        buffer_adds(&c->head, ": ");
        buffer_adds(&c->head, p->value);
        buffer_adds(&c->head, "\r\n");
    }
    if (!c->handoff)
        add_facts(c);
    end_head(&c->head, head);
}
