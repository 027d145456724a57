/*
 * response_headers.c - the head of a streamed response: which of the origin's headers it keeps,
 * and what it adds.
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

/* Wrong in our response: libcurl has decoded the body, or a HEAD request leaves it out. */
static bool
is_untrue_here(const struct exchange *x, const char *name)
{
    static const char *const names[] = { "content-encoding", "content-length", NULL };

    if (strcmp(x->fetch->method, "HEAD") == 0 && strcasecmp(name, "content-length") == 0)
        return true;
    return x->fetch->request.decompress && is_one_of(name, names) &&
           headers_get(&x->fetch->response.head.headers, "content-encoding") != NULL;
}

/* Beginnings of headers that web servers obey as the word of the FastCGI server. */
static const char *const obeyed[] = { "status",     "x-accel-",    "curlew-",
                                      "x-sendfile", "x-lighttpd-", "x-reproxy-" };

static bool
is_reserved(const struct exchange *x, const char *name)
{
    static const char *const names[] = { "set-cookie", "set-cookie2", "cache-control",
                                         "expires",    "pragma",      "age",
                                         NULL };

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
    buffer_printf(b, "Curlew-Session: %s\r\n", x->fetch->session->settings.name);
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
response_headers_write(struct exchange *x)
{
    const struct response_head *head = &x->fetch->response.head;
    const struct headers *headers = &head->headers;

    for (size_t i = 0; i < headers->count; i++) {
        const struct header *h = &headers->items[i];

        if (is_hop_by_hop(headers, h->name) || is_untrue_here(x, h->name) ||
            is_reserved(x, h->name))
            continue;
        buffer_adds(&x->head, h->name);
        buffer_adds(&x->head, ": ");
        buffer_adds(&x->head, h->value);
        buffer_adds(&x->head, "\r\n");
    }
    if (!x->handoff)
        add_fetch_facts(x);
    end_head(&x->head, head);
}
