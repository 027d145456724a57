/*
 * session_ceiling.h - how far a token limited to certain sessions may change one of them.
 *
 * An operator writes sessions by the configuration, or with a token for every session.  What such a
 * session says about load (connections, rates, the circuit breaker) is a ceiling for limited
 * tokens: they may go below it and back up to it, not above.  A session that a limited token has
 * created has the defaults as its ceiling.
 */
#ifndef SESSION_SESSION_CEILING_H
#define SESSION_SESSION_CEILING_H

#include "session/session_config.h"
#include "util/failure.h"

/*
 * `s` is what a limited token writes in place of `old` (NULL: a new session).  `given` has a bit
 * for each index of session_config_field() that it names; the others become the ceiling.  -1 with
 * `err`: forbidden.
 */
int session_ceiling_apply(struct session_config *s, const struct session_config *old,
                          uint64_t given, struct failure *err);

#endif
