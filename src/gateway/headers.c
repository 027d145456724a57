/* headers.c - which of an origin's headers pass through a stream, and what is said about the fetch. */

#include "gateway/headers.h"

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
is_hop_by_hop(const struct pairs *headers, const char *name)
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

/* What the origin says of an encoding that libcurl has undone is not true of what we send. */
static bool
is_undone(const struct call *c, const char *name)
{
    static const char *const names[] = { "content-encoding", "content-length", NULL };
    const struct pairs *h = &c->fetch->response.head.headers;

    if (!c->fetch->request.decompress || !is_one_of(name, names))
        return false;
    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, "content-encoding") == 0)
            return true;
    return false;
}

static bool
is_ours_to_say(const struct call *c, const char *name)
{
    static const char *const names[] = { "set-cookie", "set-cookie2", "cache-control",
                                         "expires",    "pragma",      "age",
                                         NULL };

    /* "Status" and what nginx obeys would be taken for words of this gateway */
    if (strcasecmp(name, "status") == 0 || strncasecmp(name, "x-accel-", 8) == 0 ||
        strncasecmp(name, "curlew-", 7) == 0 || strcasecmp(name, "x-sendfile") == 0)
        return true;
    return c->hand_off && is_one_of(name, names);
}

static void
add_facts(struct call *c)
{
    static const char *const versions[] = { "", "1.0", "1.1", "2", "3" };
    const struct response *r = &c->fetch->response;
    int v = r->http_version;
    struct buffer *b = &c->head;

    buffer_printf(b, "Curlew-Url: %s\r\n", r->head.url != NULL ? r->head.url : "");
    buffer_printf(b, "Curlew-Http-Version: %s\r\n",
                  versions[v == 10   ? 1
                           : v == 11 ? 2
                           : v == 20 ? 3
                           : v == 30 ? 4
                                     : 0]);
    buffer_printf(b, "Curlew-Connection: %s; %s:%d\r\n", r->reused ? "reused" : "new", r->remote_ip,
                  r->remote_port);
    buffer_printf(b, "Curlew-Redirects: %zu\r\n", r->history_count);
    buffer_printf(b, "Curlew-Attempts: %d\r\n", r->attempts);
    buffer_printf(b, "Curlew-Session: %s\r\n", c->fetch->session->settings.name);
    buffer_printf(b, "Curlew-First-Byte: %.6f\r\n", r->timing.first_byte);
}

void
headers_pass(struct call *c)
{
    const struct head *head = &c->fetch->response.head;
    const struct pairs *h = &head->headers;

    buffer_printf(&c->head, "Status: %d %s\r\n", head->status, head->reason);
    for (size_t i = 0; i < h->count; i++) {
        const struct pair *p = &h->items[i];

        if (is_hop_by_hop(h, p->name) || is_undone(c, p->name) || is_ours_to_say(c, p->name))
            continue;
        buffer_adds(&c->head, p->name);
        buffer_adds(&c->head, ": ");
        buffer_adds(&c->head, p->value);
        buffer_adds(&c->head, "\r\n");
    }
    if (!c->hand_off)
        add_facts(c);
    buffer_adds(&c->head, "\r\n");
}
