/*
 * session_update.h - the body of PUT …/v1/sessions/NAME.
 *
 * The keys of a session as in the configuration, except that a caller may name no file of the
 * daemon's machine.  What GET shows can be sent back: "***" in the place of a secret keeps what is
 * stored, and so does a file that the session has already; `name`, `at_run_time` and `in_flight`
 * are accepted and change nothing.
 */
#ifndef MESSAGE_SESSION_UPDATE_H
#define MESSAGE_SESSION_UPDATE_H

#include "session/session.h"

/*
 * Into s (initialised by the caller, who destroys it either way); `old` is the session of this name
 * that is replaced, or NULL.  `limited`: the caller's token is for certain sessions only, and what
 * it may change has a ceiling (session_ceiling.h).  0, or -1 with `err`.
 */
int session_update_read(struct session_config *s, const char *name, const char *text, size_t size,
                        const struct session_config *old, bool limited, struct failure *err);

#endif
