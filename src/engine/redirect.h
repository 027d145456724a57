/*
 * redirect.h - following a redirect: which hop comes next, and how.
 *
 * Curlew follows redirects itself, so that each hop passes the egress rules, waits for a slot at
 * the new origin and is in the history.  Methods change as RFC 9110 section 15.4 says: 303 becomes
 * GET (HEAD stays), 301 and 302 turn POST into GET, 307 and 308 change nothing.  Credentials stay
 * with the origin that they were given for.
 */
#ifndef ENGINE_REDIRECT_H
#define ENGINE_REDIRECT_H

#include "fetch/fetch.h"

enum redirect {
    REDIRECT_NONE,   /* the response is the final one */
    REDIRECT_FOLLOW, /* f->url, method and history are the next hop's */
    REDIRECT_FAILED, /* f->failure: too many, a bad URL, refused by the egress rules */
};

/* Its head says that the response is not the final one. */
bool redirect_follows(const struct curlew_fetch *f);

/*
 * Then: the body that the next hop sends is there.  false: the beginning of an upload is gone, so
 * the response is the final one after all.
 */
bool redirect_try_keep_body(struct curlew_fetch *f);

/* After curl_result_apply() without failure. */
enum redirect redirect_next(struct curlew_fetch *f);

/*
 * At the end of a fetch.  The address of a redirect's target shows only as it is connected to:
 * where it was refused, the caller is told of the response that redirects.
 */
void redirect_tell_refused(struct curlew_fetch *f);

#endif
