/*
 * params.h - the name-value pairs of a request, checked before libfcgi reads them.
 *
 * libfcgi trusts the lengths that the peer sends (FastCGI 1.0, section 3.4).
 * Here each is checked against the limit and the bytes that really come.
 */
#ifndef FASTCGI_PARAMS_H
#define FASTCGI_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAMS_MAX (256 * 1024) /* bytes of a request's parameters, names and lengths included */

struct params {              /* all zero at the start of a request */
    size_t bytes;            /* so far */
    size_t pairs;            /* likewise, whose lengths are complete */
    unsigned char length[4]; /* the bytes of a length received so far */
    int length_len, length_size;
    bool in_value_length;
    uint32_t name_left, value_left;
};

/*
 * The next n bytes of the stream; false: a length over the limit, a NUL, a "=" in a name, or too
 * many bytes.
 */
bool params_feed(struct params *params, const char *bytes, size_t n);

/* Between two pairs: the stream may end here. */
bool params_between(const struct params *params);

#endif
