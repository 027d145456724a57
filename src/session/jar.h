/*
 * jar.h - a session's cookies, lent to its fetches.
 *
 * A fetch never works on the jar itself: it takes a copy of what is in it at
 * the start, has its own cookies put on top, and hands back only what the
 * responses set or deleted.  So the cookies of one request object never reach
 * another fetch, and two fetches at once cannot undo each other's log-in.
 * The engine is libcurl's own, with its rules and its public suffix list.
 */
#ifndef SESSION_JAR_H
#define SESSION_JAR_H

#include "session/request.h"

#include <curl/curl.h>

#define JAR_COOKIES_MAX 3000 /* RFC 6265 section 6.1 asks for at least this many */

struct jar; /* safe to use from every thread */

struct jar *jar_new(void); /* NULL: no memory */
void jar_free(struct jar *j);
void jar_clear(struct jar *j);

/*
 * Turn the easy handle's own cookie engine on, empty; then put the jar's cookies in (j may be NULL).
 * Returns what was lent; the caller frees it with curl_slist_free_all() after jar_return().
 */
struct curl_slist *jar_lend(struct jar *j, CURL *easy);

void jar_move(CURL *from, CURL *to); /* the cookies of one handle's own engine to another's */

/* The request's cookies, for `host` where one names no domain.  -1: no memory. */
int jar_add_own(CURL *easy, const struct cookies *own, const char *host);

/*
 * What the responses left: the engine's cookies that are in `set` (names and values of the chain's
 * Set-Cookie fields) go to `left`, and into the jar; those lent, named in `set` and no longer there
 * leave it.
 */
int jar_return(struct jar *j, CURL *easy, const struct curl_slist *lent, const struct pairs *set,
               struct cookies *left);

#endif
