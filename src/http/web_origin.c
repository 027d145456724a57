/* web_origin.c - the origin of a web page, as a browser's Origin field has it. */

#include "http/web_origin.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

struct web_origin {
    const char *scheme, *host; /* within the text */
    size_t scheme_len, host_len;
    int port; /* 0: unknown, the scheme has none of its own */
};

static int
default_port(const struct web_origin *o)
{
    if (o->scheme_len == 4 && strncasecmp(o->scheme, "http", 4) == 0)
        return 80;
    return o->scheme_len == 5 && strncasecmp(o->scheme, "https", 5) == 0 ? 443 : 0;
}

/* "host" or "host:port"; an IPv6 address is in brackets. */
static bool
read_host(struct web_origin *o, const char *text)
{
    size_t n;

    if (*text == '[') {
        n = 1 + strspn(text + 1, ":." DIGITS "abcdefABCDEF");
        if (n == 1 || text[n++] != ']')
            return false;
    } else {
        n = strspn(text, LETTERS DIGITS "-._~!$&'()*+;=%");
    }
    o->host = text;
    o->host_len = n;
    o->port = default_port(o);
    text += n;
    if (n == 0 || *text == '\0')
        return n > 0;
    if (*text++ != ':')
        return false;
    n = strspn(text, DIGITS);
    o->port = n >= 1 && n <= 5 ? atoi(text) : 0;
    return text[n] == '\0' && o->port >= 1 && o->port <= 65535;
}

static bool
read_origin(struct web_origin *o, const char *text)
{
    size_t n = strspn(text, LETTERS DIGITS "+-.");

    o->scheme = text;
    o->scheme_len = n;
    return n > 0 && strchr(LETTERS, *text) != NULL && strncmp(text + n, "://", 3) == 0 &&
           read_host(o, text + n + 3);
}

static bool
equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool
same_host(const struct web_origin *a, const struct web_origin *b)
{
    return a->port == b->port && equal(a->host, a->host_len, b->host, b->host_len);
}

bool
web_origin_is_valid(const char *text)
{
    struct web_origin o;

    return read_origin(&o, text);
}

bool
web_origin_equal(const char *a, const char *b)
{
    struct web_origin x, y;

    return read_origin(&x, a) && read_origin(&y, b) &&
           equal(x.scheme, x.scheme_len, y.scheme, y.scheme_len) && same_host(&x, &y);
}

/*
 * A page by TLS may be asking without: TLS may end at a proxy before the web server.  A scheme
 * without a port of its own is no web server's page: an extension's, whose id is its host.
 */
bool
web_origin_is_of_host(const char *origin, const char *host, bool https)
{
    struct web_origin page, server;

    if (!read_origin(&page, origin) || default_port(&page) == 0 ||
        (https && default_port(&page) != 443))
        return false;
    server = page; /* the scheme, by which the port of Host is left out */
    return read_host(&server, host) && same_host(&page, &server);
}
