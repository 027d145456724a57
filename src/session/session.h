/*
 * session.h - named sessions, and the policy: everything a fetch is started under.
 *
 * A session's settings never change: a new configuration makes new ones, and a
 * fetch goes on with what it started with.  What outlives a change of settings
 * (cookies, counters) is the session's state, shared by name.  All of it is
 * counted by reference and safe to use from every thread.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/metrics.h"
#include "session/egress.h"
#include "session/jar.h"
#include "session/settings.h"

#include <stdatomic.h>

struct session_state {
    atomic_int refs;
    char *name;
    struct jar *jar; /* used where the settings say so */
    counter in_flight;
    counter outcomes[ERROR_COUNT]; /* fetches that ended so */
};

struct session {
    struct session_settings settings;
    struct session_state *state;
};

struct policy {
    atomic_int refs;
    struct egress *egress;
    struct limits limits;
    struct session **sessions;
    size_t session_count;
};

/*
 * A policy as the settings say, with the states of `old` (or NULL) carried over by name.  NULL with
 * `why`: no memory, or an egress rule that makes no sense.
 */
struct policy *
policy_new(const struct engine_settings *settings, const struct policy *old, struct failure *why);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

struct session *policy_session(const struct policy *p, const char *name); /* NULL: unknown */

#endif
