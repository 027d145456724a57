/*
 * location.h - where a Location field leads, read as browsers read it (WHATWG URL Standard).
 *
 * Blanks and control characters around it go, tabs and line ends in it, too;
 * backslashes before the query are slashes, extra slashes before the host are
 * ignored, and what may not stand in a path or a query is percent-encoded.
 * What is left is resolved against the URL that answered (RFC 3986 section 5).
 * User and password of that URL stay at its origin, unless the Location has its own.
 */
#ifndef HTTP_LOCATION_H
#define HTTP_LOCATION_H

#include "http/url.h"

#include <stdbool.h>

/* Nothing is left of it: no redirect at all, as in browsers. */
bool location_is_empty(const char *location);

/*
 * The URL it leads to into `next`, which the caller destroys.  0; or -1 with `err`: blocked where
 * the scheme is neither http nor https, protocol_error where it is no URL, internal without memory.
 */
int location_resolve(struct url *next, const struct url *base, const char *location,
                     struct failure *err) __attribute__((warn_unused_result));

#endif
