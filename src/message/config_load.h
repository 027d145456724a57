/*
 * config_load.h - the daemon's configuration read: a JSON file, then the environment over it.
 *
 * An empty variable counts as not set.  An unknown CURLEW_ variable is an error, except CURLEW_URL,
 * which is the Python client's, and those that Kubernetes and Docker make for a service named
 * curlew.
 */
#ifndef MESSAGE_CONFIG_LOAD_H
#define MESSAGE_CONFIG_LOAD_H

#include "message/config.h"

/*
 * The file (NULL: none), then the environment, over what config_init() left in c; the caller
 * destroys c either way.  0, or -1 with `err`: the file cannot be read, is not JSON (line and
 * column), or a key or variable is unknown, mistyped or out of range.
 */
int config_load(struct config *c, const char *path, char **environment, struct failure *err);

#endif
