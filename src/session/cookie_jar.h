/*
 * cookie_jar.h - the cookies of a session, shared by its fetches.
 *
 * A fetch never works on the jar itself.  Before each hop it exports the jar's cookies for the
 * hop's host into a list of its own, and at its end it imports what the responses have set or
 * deleted.  So the cookies of one request never reach another fetch, and two fetches at once
 * cannot undo each other's login.
 *
 * Past a limit the cookie that was not used for the longest time is removed: of the domain, of the
 * jar, or, if all jars together hold too much, of the jar that holds most.
 */
#ifndef SESSION_COOKIE_JAR_H
#define SESSION_COOKIE_JAR_H

#include "http/cookies.h"

#include <stddef.h>
#include <stdint.h>

/* RFC 6265 section 6.1 asks for at least 3000 and 50; browsers take 180 of one domain. */
#define COOKIE_JAR_MAX              3000
#define COOKIE_JAR_BYTES_MAX        (4 << 20) /* names, values, domains, paths */
#define COOKIE_JAR_DOMAIN_MAX       180
#define COOKIE_JAR_DOMAIN_BYTES_MAX 16384 /* names and values: a Cookie field has to hold them */

/* Of all jars of an engine: memory, so about 200 bytes a cookie come to its text. */
#define COOKIE_JAR_GROUP_BYTES_MAX (64 << 20)

struct cookie_jar;       /* safe to use from every thread */
struct cookie_jar_group; /* all jars of an engine; counted by reference */

/* NULL: no memory. */
struct cookie_jar_group *cookie_jar_group_new(void);
struct cookie_jar_group *cookie_jar_group_ref(struct cookie_jar_group *g);

/* The last reference frees; NULL is allowed.  Each jar of it has one. */
void cookie_jar_group_unref(struct cookie_jar_group *g);

/* What its jars hold. */
int64_t cookie_jar_group_bytes(const struct cookie_jar_group *g);

/* NULL: no memory. */
struct cookie_jar *cookie_jar_new(void);

/*
 * From now on it is one of the group, until it is freed; before a second thread has it.  In the
 * group already: nothing happens.
 */
void cookie_jar_join(struct cookie_jar *j, struct cookie_jar_group *g);

void cookie_jar_free(struct cookie_jar *j);
void cookie_jar_clear(struct cookie_jar *j);

/*
 * Append copies of the cookies for the host (lower case, IPv6 without brackets), marked as lent,
 * except those that `to` has, deleted ones included.  `now`: seconds since 1970.  -1: no memory.
 */
int cookie_jar_export(struct cookie_jar *j, const char *host, int64_t now, struct cookies *to);

/*
 * Would `c`, set by a response that came in the clear, hide a Secure cookie, of any host?  Those
 * that `known` has as deleted do not count.
 */
bool cookie_jar_hides_secure(struct cookie_jar *j, const struct cookie *c,
                             const struct cookies *known);

/*
 * Take over what the responses of one fetch have set.  Deleted ones are removed if they were lent
 * to it: another fetch may have set one meanwhile.  -1: no memory.
 */
int cookie_jar_import(struct cookie_jar *j, const struct cookies *set, int64_t now);

#endif
