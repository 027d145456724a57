/* url_parts.h - the parts of a URL, gathered into one allocation. */
#ifndef HTTP_URL_PARTS_H
#define HTTP_URL_PARTS_H

#include <stddef.h>

struct url {
    char *block;           /* owned; all that follows lies in it */
    char *text;            /* normalised, without user, password and fragment */
    char *scheme, *host;   /* host lower-cased, IDN names as punycode, IPv6 without brackets */
    char *path;            /* at least "/" */
    char *user, *password; /* or NULL */
    char *origin;          /* "scheme://host:port", the key of pools and limits */
    int port;
};

struct url_piece {     /* not terminated */
    const char *bytes; /* NULL: the URL has no such part */
    size_t n;
};

struct url_piece url_parts_piece(const char *text);

struct url_parts { /* as struct url wants them */
    struct url_piece text, scheme, host, path, user, password;
    int port;
};

/* A copy of all of them, and the origin.  -1: no memory, and *u is empty. */
int url_parts_gather(const struct url_parts *parts, struct url *u)
    __attribute__((warn_unused_result));

/* Give `u` the user and password of `from`.  -1: no memory, and *u is as before. */
int url_parts_copy_credentials(struct url *u, const struct url *from)
    __attribute__((warn_unused_result));

#endif
