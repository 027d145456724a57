/*
 * session_json.h - named sessions as JSON, for …/v1/sessions.
 *
 * Without their secrets: values of headers and cookies, credentials, and a proxy's user and
 * password are shown as "***".
 */
#ifndef MESSAGE_SESSION_JSON_H
#define MESSAGE_SESSION_JSON_H

#include "session/session.h"
#include "util/buffer.h"

#include <jansson.h>

#define SESSION_JSON_SECRET "***"

/* -1: no memory. */
int session_json_write(struct buffer *out, const struct session *s);

/* {"sessions": [ … ]} */
int session_json_write_all(struct buffer *out, struct session *const *sessions, size_t count);

/* A proxy's URL as it is shown.  The caller frees; NULL: no memory. */
char *session_json_mask_proxy(const char *proxy);

/* Can the key be shown?  For the test that no row of the table lacks a writer. */
bool session_json_can_write(enum request_key key);

/*
 * A key's value as GET shows it; a SESSION_GROUP has none.  A new reference, or NULL: no memory.
 */
json_t *session_json_field(const struct session_config *s, const struct field *f);

#endif
