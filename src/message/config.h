/*
 * config.h - the daemon's configuration as a struct.
 */
#ifndef MESSAGE_CONFIG_H
#define MESSAGE_CONFIG_H

#include "session/engine_config.h"
#include "util/log.h"

#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_LISTEN "unix:/run/curlew/curlew.sock" /* where none is configured */

struct config {
    char **listen; /* unix:PATH, HOST:PORT, fd:N */
    size_t listen_count;
    mode_t socket_mode; /* of a unix: socket, "0660" in the file */
    char *socket_group; /* name or number; NULL: as created */
    int responders;     /* threads that speak FastCGI */
    enum log_level log_level;
    bool log_json;     /* log.format: "json"; false: "text" */
    bool log_access;   /* one line a fetch */
    char *tokens_file; /* auth.tokens_file; NULL: no token is required */
    int drain_seconds;
    struct engine_config engine;
};

/* The safe defaults. */
void config_init(struct config *c);

void config_destroy(struct config *c);

#endif
