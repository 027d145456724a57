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
    bool socket_mode_named;
    int workers;                          /* threads that speak FastCGI */
    bool workers_named, responders_named; /* by the setting `workers`, by its old name */
    enum log_level log_level;
    bool log_json;           /* log.format: "json"; false: "text" */
    bool log_access;         /* one line a fetch */
    double log_slow_seconds; /* a warning for each fetch that takes longer; 0: none */
    char *tokens_file;       /* auth.tokens_file; NULL: no token is required */
    char **origins; /* auth.origins: of web pages that may ask although they are another site's */
    size_t origin_count;
    int drain_seconds;
    bool replica;  /* one of several: sessions change by the configuration file only */
    char *libcurl; /* the file of a libcurl-impersonate; NULL: the system's libcurl */
    struct engine_config engine;
};

/* The safe defaults. */
void config_init(struct config *c);

void config_destroy(struct config *c);

#endif
