/*
 * cookie_match.h - which cookies a request carries, and in which order (RFC 6265 section 5.4).
 */
#ifndef HTTP_COOKIE_MATCH_H
#define HTTP_COOKIE_MATCH_H

#include "http/cookies.h"
#include "util/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a request goes. */
struct cookie_target {
    const char *host; /* lower case, international names as punycode, IPv6 without brackets */
    const char *path; /* at least "/", without query */
    bool secure;      /* https */
    int64_t now;      /* seconds since 1970 */
    bool bound;       /* bound cookies may go there, too */
};

/* Is `host` the domain or, unless it is an IP address, below it?  RFC 6265 section 5.1.3. */
bool cookie_match_domain(const char *host, const char *domain);

/* Is `path` the cookie's path or below it?  RFC 6265 section 5.1.4. */
bool cookie_match_path(const char *path, const char *cookie_path);

/*
 * May it be sent there: domain, path, Secure, its prefix, and its expiry?  One without a domain is
 * for every host: whose it is, the caller knows.
 */
bool cookie_match_target(const struct cookie *c, const struct cookie_target *t);

/*
 * Would `c`, set by a response that came in the clear, hide `other`, which is Secure?  Then it may
 * not be set (6265bis, "leave secure cookies alone").
 */
bool cookie_match_hides_secure(const struct cookie *other, const struct cookie *c);

/* Would it hide one of the list? */
bool cookie_match_hides_any_secure(const struct cookies *list, const struct cookie *c);

/*
 * Append a Cookie field's value: those of the list that match, the longest path first, then the
 * oldest.  Nothing where none does; a failed buffer: no memory, or over its limit.
 */
void cookie_match_write(struct buffer *to, const struct cookies *list,
                        const struct cookie_target *t);

#endif
