/* plain_url.c - URLs so plain that every parser reads them alike, read without libcurl's. */

#include "http/plain_url.h"

#include <stdint.h>
#include <string.h>

#define LABEL_MAX 63  /* RFC 1035 section 2.3.4 */
#define HOST_MAX  253 /* likewise, as text */
#define PORT_MAX  65535

/* What a character may stand for itself in. */
#define IN_HOST  1
#define IN_PATH  2
#define IN_QUERY 4
#define IS_DIGIT 8
#define IS_HEX   16 /* as libcurl writes it: in upper case */

#define ANYWHERE (IN_PATH | IN_QUERY)
#define NUMBER   (IN_HOST | ANYWHERE | IS_DIGIT | IS_HEX)
#define UPPER    ANYWHERE
#define HEX      (ANYWHERE | IS_HEX)
#define LOWER    (IN_HOST | ANYWHERE)

static const uint8_t classes[256] = {
    ['0'] = NUMBER,   ['1'] = NUMBER,   ['2'] = NUMBER,   ['3'] = NUMBER,   ['4'] = NUMBER,
    ['5'] = NUMBER,   ['6'] = NUMBER,   ['7'] = NUMBER,   ['8'] = NUMBER,   ['9'] = NUMBER,
    ['A'] = HEX,      ['B'] = HEX,      ['C'] = HEX,      ['D'] = HEX,      ['E'] = HEX,
    ['F'] = HEX,      ['G'] = UPPER,    ['H'] = UPPER,    ['I'] = UPPER,    ['J'] = UPPER,
    ['K'] = UPPER,    ['L'] = UPPER,    ['M'] = UPPER,    ['N'] = UPPER,    ['O'] = UPPER,
    ['P'] = UPPER,    ['Q'] = UPPER,    ['R'] = UPPER,    ['S'] = UPPER,    ['T'] = UPPER,
    ['U'] = UPPER,    ['V'] = UPPER,    ['W'] = UPPER,    ['X'] = UPPER,    ['Y'] = UPPER,
    ['Z'] = UPPER,    ['a'] = LOWER,    ['b'] = LOWER,    ['c'] = LOWER,    ['d'] = LOWER,
    ['e'] = LOWER,    ['f'] = LOWER,    ['g'] = LOWER,    ['h'] = LOWER,    ['i'] = LOWER,
    ['j'] = LOWER,    ['k'] = LOWER,    ['l'] = LOWER,    ['m'] = LOWER,    ['n'] = LOWER,
    ['o'] = LOWER,    ['p'] = LOWER,    ['q'] = LOWER,    ['r'] = LOWER,    ['s'] = LOWER,
    ['t'] = LOWER,    ['u'] = LOWER,    ['v'] = LOWER,    ['w'] = LOWER,    ['x'] = LOWER,
    ['y'] = LOWER,    ['z'] = LOWER,    ['-'] = LOWER,    ['_'] = ANYWHERE, ['.'] = ANYWHERE,
    ['~'] = ANYWHERE, ['!'] = ANYWHERE, ['$'] = ANYWHERE, ['&'] = ANYWHERE, ['('] = ANYWHERE,
    [')'] = ANYWHERE, ['*'] = ANYWHERE, ['+'] = ANYWHERE, [','] = ANYWHERE, [';'] = ANYWHERE,
    ['='] = ANYWHERE, [':'] = ANYWHERE, ['@'] = ANYWHERE, ['/'] = ANYWHERE, ['?'] = IN_QUERY,
};

static bool
is(char c, unsigned class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

static size_t
span(const char *text, unsigned class)
{
    size_t n = 0;

    while (is(text[n], class))
        n++;
    return n;
}

/* From 0 to 255 without a leading zero, which other parsers take for octal.  Its length; 0: no. */
static size_t
octet(const char *text)
{
    size_t n = span(text, IS_DIGIT);
    int value = 0;

    if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
        return 0;
    for (size_t i = 0; i < n; i++)
        value = 10 * value + (text[i] - '0');
    return value <= 255 ? n : 0;
}

/* Its length; 0: it is none. */
static size_t
ipv4_address(const char *text)
{
    size_t at = 0, n;

    for (int i = 0; i < 4; i++) {
        if ((i > 0 && text[at++] != '.') || (n = octet(text + at)) == 0)
            return 0;
        at += n;
    }
    return at;
}

/*
 * A name's last label begins with a letter, so that no parser takes it for a number.  "xn--" is for
 * libcurl to check.  Its length; 0: it is none.
 */
static size_t
host_name(const char *text)
{
    size_t at = 0;

    for (;;) {
        const char *label = text + at;
        size_t n = span(label, IN_HOST);

        if (n == 0 || n > LABEL_MAX || label[0] == '-' || strncmp(label, "xn--", 4) == 0)
            return 0;
        at += n;
        if (label[n] != '.')
            return at <= HOST_MAX && !is(label[0], IS_DIGIT) ? at : 0;
        at++;
    }
}

/* ":" and a port, or nothing.  Their length; -1: no such port. */
static int
read_port(const char *text, int *port)
{
    size_t n;

    if (text[0] != ':')
        return 0;
    n = span(text + 1, IS_DIGIT);
    if (n == 0 || n > 5 || text[1] == '0')
        return -1;
    *port = 0;
    for (size_t i = 1; i <= n; i++)
        *port = 10 * *port + (text[i] - '0');
    return *port <= PORT_MAX ? (int)n + 1 : -1;
}

/* Up to "?" or the end; 0: it isn't plain. */
static size_t
path_length(const char *text)
{
    size_t n = 0;

    if (text[0] != '/')
        return 0;
    for (; is(text[n], IN_PATH); n++)
        if (text[n] == '/' && text[n + 1] == '.')
            return 0;
    return text[n] == '\0' || text[n] == '?' ? n : 0;
}

/* At least one character, to the end. */
static bool
is_query(const char *text)
{
    const char *c = text;

    while (is(*c, IN_QUERY) || (*c == '%' && is(c[1], IS_HEX) && is(c[2], IS_HEX)))
        c++;
    return *c == '\0' && c > text;
}

bool
plain_url_read(const char *text, struct url_parts *parts)
{
    size_t scheme = strncmp(text, "http://", 7) == 0    ? 4
                    : strncmp(text, "https://", 8) == 0 ? 5
                                                        : 0;
    const char *host = text + scheme + 3, *path;
    int port = scheme == 4 ? 80 : 443, port_length;
    size_t host_length, n;

    if (scheme == 0)
        return false;
    if ((host_length = ipv4_address(host)) == 0 || is(host[host_length], IN_HOST) ||
        host[host_length] == '.')
        host_length = host_name(host);
    if (host_length == 0 || (port_length = read_port(host + host_length, &port)) < 0)
        return false;
    path = host + host_length + port_length;
    if ((n = path_length(path)) == 0 || (path[n] == '?' && !is_query(path + n + 1)))
        return false;
    *parts = (struct url_parts){
        .text = { text, strlen(text) },
        .scheme = { text, scheme },
        .host = { host, host_length },
        .path = { path, n },
        .port = port,
    };
    return true;
}
