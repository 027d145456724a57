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

#include "egress/egress.h"
#include "session/jar.h"
#include "session/proxies.h"
#include "session/settings.h"
#include "util/metrics.h"

#include <stdatomic.h>

struct policy;

#define STATUS_CLASSES 6

struct session_state {
    atomic_int refs;
    uint64_t id; /* never another's: names and addresses are used again */
    char *name;
    struct jar *jar; /* used where the settings say so */
    counter in_flight;
    counter resets; /* an idle connection from before the last one is not to be used */
    counter classes[STATUS_CLASSES]; /* whole responses with a status of 1xx … 5xx, or beyond */
    counter outcomes[ERROR_COUNT];   /* fetches that ended so */
};

struct session {
    atomic_int refs;
    struct session_settings settings;
    struct session_state *state;
    struct proxies *rota; /* whose turn it is among settings.proxies */
    bool at_run_time;     /* made by a caller, not by the configuration */
};

/* With the state of its namesake in `old` (or NULL).  NULL with `err`: no memory. */
struct session *
session_new(const struct session_settings *settings, const struct policy *old, struct failure *err);
struct session *session_ref(struct session *s);
void session_unref(struct session *s);

#define POLICY_SESSIONS_MAX 1000 /* each is a label value in the metrics, and a name to look up */

struct policy {
    atomic_int refs;
    struct egress *egress;
    struct limits limits;
    struct session **sessions;
    size_t session_count;
};

/*
 * A policy as the settings say, with the states of `old` (or NULL) carried over by name.  NULL with
 * `err`: no memory, or an egress rule that makes no sense.
 */
struct policy *
policy_new(const struct engine_settings *settings, const struct policy *old, struct failure *err);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

/*
 * The same policy, but with this session in the place of its namesake or beside the others; or
 * without the one of this name.  NULL with `err`: too many, unknown, "default", or no memory.
 */
struct policy *
policy_with(const struct policy *old, const struct session_settings *put, struct failure *err);
struct policy *policy_without(const struct policy *old, const char *name, struct failure *err);

struct session *policy_session(const struct policy *p, const char *name); /* NULL: unknown */

#endif
