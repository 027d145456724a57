/*
 * cookie_jar.h - the cookies of a session, shared by its fetches.
 *
 * A fetch never works on the jar itself.  Before each hop it exports the jar's cookies for the
 * hop's host into its libcurl handle, adds its own, and at its end imports what the responses have
 * set or deleted.  So the cookies of one request never reach another fetch, and two fetches at once
 * cannot undo each other's log-in.  libcurl parses and matches the cookies.
 *
 * `easy` is a libcurl easy handle, void here so that only cookie_jar.c needs libcurl.
 */
#ifndef SESSION_COOKIE_JAR_H
#define SESSION_COOKIE_JAR_H

#include "http/request.h"

/* The least that RFC 6265 section 6.1 asks for.  Past it the oldest cookie goes. */
#define COOKIE_JAR_MAX        3000
#define COOKIE_JAR_DOMAIN_MAX 50 /* of one domain: libcurl's engine takes them in quadratic time */

struct cookie_jar; /* safe to use from every thread */

struct exported_cookie { /* a list, in the order of export */
    struct exported_cookie *next;
    char line[]; /* in the Netscape format */
};

/* NULL: no memory. */
struct cookie_jar *cookie_jar_new(void);

void cookie_jar_free(struct cookie_jar *j);
void cookie_jar_clear(struct cookie_jar *j);

/* Turn the handle's cookie engine on, and empty it. */
void cookie_jar_enable(void *easy);

/* Copy the cookies of one handle to another, whose cookie engine is turned on. */
void cookie_jar_move(void *from, void *to);

/*
 * Copy the jar's cookies for the host to the handle; j may be NULL.  Left out are those that the
 * handle has and those that are in `exported`, which a response may have deleted since.  What was
 * copied is appended to `exported`, which the caller owns.  -1: no memory.
 */
int cookie_jar_export(struct cookie_jar *j, void *easy, const char *host,
                      struct exported_cookie **exported);
void cookie_jar_export_free(struct exported_cookie *exported);

/*
 * Add the request's cookies to the handle, for `host` if they name no domain.  -1: one is too long
 * for libcurl.
 */
int cookie_jar_add_request_cookies(void *easy, const struct cookies *own, const char *host);

/*
 * Take over what the responses have changed.  `set` holds the names and values of the Set-Cookie
 * fields of all hops.  The handle's cookies that are in it go to `left` and, if j is not NULL, into
 * the jar; exported ones that are named in it and are no longer in the handle are deleted from the
 * jar.  -1: no memory.
 */
int cookie_jar_import(struct cookie_jar *j, void *easy, const struct exported_cookie *exported,
                      const struct headers *set, struct cookies *left);

#endif
