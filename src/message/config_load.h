/*
 * config_load.h - the daemon's configuration read: a JSON file, then the environment over it.
 *
 * An empty variable counts as not set.  An unknown CURLEW_ variable is an error where its name
 * begins as those of egress, auth and limits do; config_variable.h has the rest.
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

/*
 * err becomes `rule`, what is wrong with a setting that config_load() does not check itself, with
 * the place where it was set: the file, or a variable of the environment, which wins.  -1.
 */
int config_load_refuse(const char *path, char *const *environment, const struct failure *rule,
                       struct failure *err);

/*
 * The setting `libcurl` alone, which must be known before all others are read: what they may be
 * depends on the library.  The caller frees it.  NULL: not set, or the file is no configuration,
 * which config_load() tells.
 */
char *config_load_libcurl(const char *path, char **environment);

#endif
