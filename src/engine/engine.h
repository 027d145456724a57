/*
 * engine.h - the engine: its threads, its configuration, and the fetches it takes.
 *
 * What the daemon uses beyond curlew.h.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "curlew/curlew.h"
#include "engine/engine_data.h"
#include "fetch/fetch.h"
#include "session/engine_config.h"

/* NULL with `err`: an egress rule that makes no sense, no memory, no thread. */
struct curlew *engine_new(const struct engine_config *settings, struct failure *err);

/* Refuse new fetches from now on; those in flight go on. */
void engine_drain(struct curlew *c);

/* Cancels what is in flight, waits for its callbacks, releases; NULL is allowed. */
void engine_free(struct curlew *c);

/*
 * New fetches go by the new settings (all but `threads`, which stay); -1 with `err`: nothing has
 * changed.
 */
int engine_reload(struct curlew *c, const struct engine_config *settings, struct failure *err);

/*
 * Sessions at run time: create or replace; remove; drop cookies and idle connections.  What is in
 * flight goes on with what it started with.  -1 with `err`: see config_snapshot_with_session() and
 * config_snapshot_without_session().
 */
int engine_put_session(struct curlew *c, const struct session_config *s, struct failure *err);
int engine_remove_session(struct curlew *c, const char *name, struct failure *err);

/*
 * `now` in place of `was`, the session of this name that the caller has seen; NULL for either is no
 * session.  0; 1: somebody else has changed it meanwhile, nothing is done; -1 with `err`.
 */
int engine_replace_session(struct curlew *c, const char *name, const struct session *was,
                           const struct session_config *now, struct failure *err);
int engine_reset_session(struct curlew *c, const char *name, struct failure *err);

/* Descriptors are short: close the connections to origins that are idle, within two seconds. */
void engine_drop_idle(struct curlew *c);

/* A new reference. */
struct config_snapshot *engine_snapshot(struct curlew *c);

/* 0: taken, and given back by done() on an engine thread.  -1: refused, with f->failure. */
int engine_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg);

#endif
