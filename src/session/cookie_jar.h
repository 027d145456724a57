/*
 * cookie_jar.h - a session's cookies, lent to its fetches.
 *
 * A fetch never works on the jar itself: it takes a copy of what the jar has
 * for a hop's host, has its own cookies put on top, and hands back only what
 * the responses set or deleted.  So the cookies of one request object never
 * reach another fetch, and two fetches at once cannot undo each other's log-in.
 * The rules are those of libcurl's own engine, with its public suffix list.
 */
#ifndef SESSION_COOKIE_JAR_H
#define SESSION_COOKIE_JAR_H

#include "http/request.h"

#include <curl/curl.h>

/* What RFC 6265 section 6.1 asks for at least.  One more, and the oldest goes. */
#define COOKIE_JAR_MAX        3000
#define COOKIE_JAR_DOMAIN_MAX 50 /* of one domain: libcurl's engine takes them in quadratic time */

struct cookie_jar; /* safe to use from every thread */

/* NULL: no memory. */
struct cookie_jar *cookie_jar_new(void);

void cookie_jar_free(struct cookie_jar *j);
void cookie_jar_clear(struct cookie_jar *j);

/* Turn the handle's own cookie engine on, empty. */
void cookie_jar_enable(CURL *easy);

/* The cookies of one handle's own engine to another's. */
void cookie_jar_move(CURL *from, CURL *to);

/*
 * Put the jar's cookies for the host in (j may be NULL), but for those the engine has, or was lent
 * before: they may have been deleted since.  What was lent is added to `lent`, which the caller
 * frees with curl_slist_free_all() after cookie_jar_import().  -1: no memory.
 */
int cookie_jar_export(struct cookie_jar *j, CURL *easy, const char *host, struct curl_slist **lent);

/* The request's cookies, for `host` where one names no domain.  -1: too long for libcurl. */
int cookie_jar_add_request_cookies(CURL *easy, const struct cookies *own, const char *host);

/*
 * What the responses left: the engine's cookies that are in `set` (names and values of the chain's
 * Set-Cookie fields) go to `left`, and into the jar; those lent, named in `set` and no longer there
 * leave it.
 */
int cookie_jar_import(struct cookie_jar *j, CURL *easy, const struct curl_slist *lent,
                      const struct headers *set, struct cookies *left);

#endif
