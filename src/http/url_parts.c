/* url_parts.c - the parts of a URL, gathered into one allocation. */

#include "http/url_parts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DIGITS 5

struct url_piece
url_parts_piece(const char *text)
{
    return (struct url_piece){ text, text != NULL ? strlen(text) : 0 };
}

static char *
put(char *to, const char *bytes, size_t n)
{
    memcpy(to, bytes, n);
    return to + n;
}

/* Returns where the next one goes. */
static char *
put_piece(char *to, const struct url_piece *piece, char **as)
{
    *as = NULL;
    if (piece->bytes == NULL)
        return to;
    *as = to;
    to = put(to, piece->bytes, piece->n);
    *to++ = '\0';
    return to;
}

static char *
put_port(char *to, int port)
{
    char digits[PORT_DIGITS];
    size_t n = 0;

    for (; port > 0 && n < sizeof digits; port /= 10)
        digits[n++] = (char)('0' + port % 10);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

/* "scheme://host:port"; the host of an IPv6 address gets its brackets back. */
static void
put_origin(char *to, const struct url_parts *parts)
{
    bool ipv6 = memchr(parts->host.bytes, ':', parts->host.n) != NULL;

    to = put(to, parts->scheme.bytes, parts->scheme.n);
    to = put(to, "://[", ipv6 ? 4 : 3);
    to = put(to, parts->host.bytes, parts->host.n);
    to = put(to, "]:", 2) - 2;
    if (!ipv6)
        *to = ':';
    to = put_port(to + (ipv6 ? 2 : 1), parts->port);
    *to = '\0';
}

int
url_parts_gather(const struct url_parts *parts, struct url *u)
{
    size_t origin = parts->scheme.n + parts->host.n + sizeof "://[]:" + PORT_DIGITS;
    char *to = malloc(parts->text.n + parts->scheme.n + parts->host.n + parts->path.n +
                      parts->user.n + parts->password.n + 6 + origin);

    *u = (struct url){ .block = to, .port = parts->port };
    if (to == NULL)
        return -1;
    to = put_piece(to, &parts->text, &u->text);
    to = put_piece(to, &parts->scheme, &u->scheme);
    to = put_piece(to, &parts->host, &u->host);
    to = put_piece(to, &parts->path, &u->path);
    to = put_piece(to, &parts->user, &u->user);
    to = put_piece(to, &parts->password, &u->password);
    u->origin = to;
    put_origin(to, parts);
    return 0;
}

int
url_parts_copy_credentials(struct url *u, const struct url *from)
{
    const struct url_parts parts = {
        url_parts_piece(u->text),
        url_parts_piece(u->scheme),
        url_parts_piece(u->host),
        url_parts_piece(u->path),
        url_parts_piece(from->user),
        url_parts_piece(from->password),
        u->port,
    };
    struct url with;

    if (from->user == NULL && from->password == NULL)
        return 0;
    if (url_parts_gather(&parts, &with) != 0)
        return -1;
    free(u->block);
    *u = with;
    return 0;
}
