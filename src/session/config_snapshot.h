/*
 * config_snapshot.h - the configuration that new fetches start under, as one immutable object.
 *
 * Limits, egress rules and sessions.  A reload or a change of one session makes a new snapshot; a
 * fetch in flight keeps the one it started with.  Counted by reference and safe to use from every
 * thread.
 */
#ifndef SESSION_CONFIG_SNAPSHOT_H
#define SESSION_CONFIG_SNAPSHOT_H

#include "egress/egress.h"
#include "session/body_account.h"
#include "session/engine_config.h"
#include "session/session.h"

/* Each session is a label value in the metrics, and found by comparing names. */
#define CONFIG_SNAPSHOT_SESSIONS_MAX 1000

struct config_snapshot {
    atomic_int refs;
    struct egress *egress;
    /* Shared with every other snapshot of the engine: of responses, and of sessions. */
    struct body_account *bodies, *session_account;
    struct cookie_jar_group *jars; /* shared with them, too */
    struct limits limits;
    struct log_sink log;
    struct session **sessions;
    size_t session_count;
};

/*
 * A snapshot of these settings.  Sessions that `old` (or NULL) has under the same name keep their
 * state, and those of `old` that callers created stay.  NULL with `err`: no memory, or an egress
 * rule that cannot be parsed.
 */
struct config_snapshot *config_snapshot_new(const struct engine_config *settings,
                                            const struct config_snapshot *old, struct failure *err);
struct config_snapshot *config_snapshot_ref(struct config_snapshot *p);

/* The last reference frees; NULL is allowed. */
void config_snapshot_unref(struct config_snapshot *p);

/*
 * `old` with this session added, or in place of the one of its name.  NULL with `err`: too many, or
 * request_too_large, by limits.session_bytes or limits.sessions_bytes.
 */
struct config_snapshot *config_snapshot_with_session(const struct config_snapshot *old,
                                                     const struct session_config *put,
                                                     struct failure *err);

/* `old` without the session of this name.  NULL with `err`: unknown, or "default". */
struct config_snapshot *config_snapshot_without_session(const struct config_snapshot *old,
                                                        const char *name, struct failure *err);

/* NULL: unknown. */
struct session *config_snapshot_find_session(const struct config_snapshot *p, const char *name);

#endif
