/*
 * config.h - the daemon's configuration: a JSON file, then the environment over it.
 *
 * One table of settings serves the file, the environment (limits.in_flight
 * is CURLEW_LIMITS_IN_FLIGHT) and the check against the man page, so that a
 * setting exists everywhere or nowhere.
 */
#ifndef MESSAGE_CONFIG_H
#define MESSAGE_CONFIG_H

#include "base/log.h"
#include "message/json.h"
#include "session/settings.h"

#include <stdbool.h>
#include <sys/types.h>

struct config {
    char **listen; /* unix:PATH, HOST:PORT, fd:N */
    size_t listen_count;
    mode_t socket_mode; /* of a unix: socket, "0660" in the file */
    char *socket_group; /* name or number; NULL: as created */
    int responders;     /* threads that speak FastCGI */
    enum log_level log_level;
    bool log_json;   /* log.format: "json"; false: "text" */
    bool log_access; /* one line a fetch */
    char *tokens_file; /* auth.tokens_file; NULL: no token is asked for */
    int drain_seconds;
    struct engine_settings engine;
};

void config_init(struct config *c); /* the safe defaults */
void config_destroy(struct config *c);

/*
 * Defaults, then the file (NULL: none), then the environment.  0, or -1 with `why`: the file
 * cannot be read, is not JSON (line and column), or a key is unknown, mistyped or out of range.
 */
int config_load(struct config *c, const char *path, char **environment, struct failure *why);

/* One session of the configuration or of PUT …/v1/sessions/NAME, into s (initialised by the caller). */
int session_settings_from_json(struct session_settings *s, const char *name, const json_t *object,
                               struct failure *why);

#endif
