/*
 * message/session_json.h - named sessions to and from JSON, for …/v1/sessions.
 */
#ifndef MESSAGE_SESSION_JSON_H
#define MESSAGE_SESSION_JSON_H

#include "session/config_snapshot.h"
#include "util/buffer.h"

/*
 * A caller's session object into s (initialised by the caller, who destroys it either way).  0, or
 * -1 with `err`.  As in the configuration, but that it may name no file of the daemon's machine.
 */
int session_from_text(struct session_config *s, const char *name, const char *text, size_t size,
                      struct failure *err);

/*
 * What there is to know of a session, without its secrets: values of headers and cookies,
 * credentials, and a proxy's user and password are shown as "***".  -1: no memory.
 */
int session_write(struct buffer *out, const struct session *s);

/* {"sessions": [ … ]} */
int sessions_write(struct buffer *out, const struct config_snapshot *p);

#endif
