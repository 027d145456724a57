/*
 * session.h - named sessions, and the configuration snapshot: everything a fetch is started under.
 *
 * A session's settings never change: a new configuration makes new ones, and a
 * fetch goes on with what it started with.  What outlives a change of settings
 * (cookies, counters) is the session's state, shared by name.  All of it is
 * counted by reference and safe to use from every thread.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "egress/egress.h"
#include "session/cookie_jar.h"
#include "session/proxy_pool.h"
#include "session/session_config.h"
#include "util/metrics.h"

#include <stdatomic.h>

struct config_snapshot;

#define STATUS_CLASSES 6

struct session_state {
    atomic_int refs;
    uint64_t id; /* never another's: names and addresses are used again */
    char *name;
    struct cookie_jar *jar; /* used where the settings say so */
    counter in_flight;
    counter resets; /* an idle connection from before the last one is not to be used */
    counter classes[STATUS_CLASSES]; /* whole responses with a status of 1xx … 5xx, or beyond */
    counter outcomes[ERROR_COUNT];   /* fetches that ended so */
};

struct session {
    atomic_int refs;
    struct session_config settings;
    struct session_state *state;
    struct proxy_pool *proxy_pool; /* whose turn it is among settings.proxies */
    bool at_run_time;              /* made by a caller, not by the configuration */
};

/* With the state of its namesake in `old` (or NULL).  NULL with `err`: no memory. */
struct session *session_new(const struct session_config *settings,
                            const struct config_snapshot *old, struct failure *err);
struct session *session_ref(struct session *s);
void session_unref(struct session *s);

#define CONFIG_SNAPSHOT_SESSIONS_MAX \
    1000 /* each is a label value in the metrics, and a name to look up */

struct config_snapshot {
    atomic_int refs;
    struct egress *egress;
    struct limits limits;
    struct session **sessions;
    size_t session_count;
};

/*
 * A snapshot as the settings say, with the states of `old` (or NULL) carried over by name.  NULL
 * with `err`: no memory, or an egress rule that makes no sense.
 */
struct config_snapshot *config_snapshot_new(const struct engine_config *settings,
                                            const struct config_snapshot *old, struct failure *err);
struct config_snapshot *config_snapshot_ref(struct config_snapshot *p);
void config_snapshot_unref(struct config_snapshot *p);

/*
 * The same config, but with this session in the place of its namesake or beside the others; or
 * without the one of this name.  NULL with `err`: too many, unknown, "default", or no memory.
 */
struct config_snapshot *config_snapshot_with_session(const struct config_snapshot *old,
                                                     const struct session_config *put,
                                                     struct failure *err);
struct config_snapshot *config_snapshot_without_session(const struct config_snapshot *old,
                                                        const char *name, struct failure *err);

/* NULL: unknown. */
struct session *config_snapshot_find_session(const struct config_snapshot *p, const char *name);

#endif
