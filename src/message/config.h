/*
 * config.h - the daemon's configuration: a JSON file, then the environment over it.
 *
 * One table of settings serves the file, the environment (limits.in_flight
 * is CURLEW_LIMITS_IN_FLIGHT) and the check against the man page, so that a
 * setting exists everywhere or nowhere.
 *
 * An empty variable counts as not set.  An unknown CURLEW_ variable is an
 * error, but for CURLEW_URL, which is the Python client's, and those that
 * Kubernetes and Docker make for a service named curlew.
 */
#ifndef MESSAGE_CONFIG_H
#define MESSAGE_CONFIG_H

#include "message/json.h"
#include "session/engine_config.h"
#include "util/log.h"

#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_LISTEN "unix:/run/curlew/curlew.sock" /* where nobody says otherwise */

struct config {
    char **listen; /* unix:PATH, HOST:PORT, fd:N */
    size_t listen_count;
    mode_t socket_mode; /* of a unix: socket, "0660" in the file */
    char *socket_group; /* name or number; NULL: as created */
    int responders;     /* threads that speak FastCGI */
    enum log_level log_level;
    bool log_json;     /* log.format: "json"; false: "text" */
    bool log_access;   /* one line a fetch */
    char *tokens_file; /* auth.tokens_file; NULL: no token is asked for */
    int drain_seconds;
    struct engine_config engine;
};

/* The safe defaults. */
void config_init(struct config *c);

void config_destroy(struct config *c);

/*
 * The file (NULL: none), then the environment, over what config_init() left in c; the caller
 * destroys c either way.  0, or -1 with `err`: the file cannot be read, is not JSON (line and
 * column), or a key or variable is unknown, mistyped or out of range.
 */
int config_load(struct config *c, const char *path, char **environment, struct failure *err);

/*
 * One session of the configuration or of PUT …/v1/sessions/NAME, into s (initialised by the
 * caller, who destroys it either way).
 */
int session_settings_from_json(struct session_config *s, const char *name, const json_t *object,
                               struct failure *err);

/* 1 to 64 of A-Z a-z 0-9 . _ - */
bool session_name_valid(const char *name);

/* The i-th setting's dotted name, its variable's name; NULL past the last. */
const char *config_key(size_t i);
const char *config_variable(char *to, size_t size, const char *key);

/* The i-th of the keys that a session has beside the request object's; NULL past the last. */
const char *session_key(size_t i);

#endif
