/*
 * config_session.h - named sessions from JSON: a saved request, and what only a session has.
 */
#ifndef MESSAGE_CONFIG_SESSION_H
#define MESSAGE_CONFIG_SESSION_H

#include "message/json_path.h"
#include "session/engine_config.h"

#include <jansson.h>
#include <stdbool.h>

/* 1 to 64 of A-Z a-z 0-9 . _ - */
bool config_session_name_valid(const char *name);

/*
 * One session of the configuration or of PUT …/v1/sessions/NAME, into s (initialised by the
 * caller, who destroys it either way).  -1 with `err`.
 */
int config_session_read(struct session_config *s, const char *name, const json_t *object,
                        struct failure *err);

/* The configuration's "sessions", an object of name to session. */
int config_session_read_all(struct engine_config *e, const json_t *object,
                            const struct json_path *at, struct failure *err);

/*
 * Once all settings are known: does each session keep to the limits, and do all of them together?
 * -1 with `err`.
 */
int config_session_check_all(const struct engine_config *e, struct failure *err);

/* A warning in the log for each certificate file that cannot be read now. */
void config_session_warn_of_files(const struct engine_config *e);

#endif
