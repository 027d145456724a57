/*
 * config_variable.h - the CURLEW_ variables of the environment that are no settings.
 *
 * A misspelt setting must not be lost in silence, least of all one that restricts.  But others set
 * variables with this prefix, too: the Python client's, and those that Kubernetes and Docker make
 * for a service named curlew.
 */
#ifndef MESSAGE_CONFIG_VARIABLE_H
#define MESSAGE_CONFIG_VARIABLE_H

#include <stddef.h>

enum config_variable {
    CONFIG_VARIABLE_SETTING,
    CONFIG_VARIABLE_OTHERS,  /* is not for the daemon */
    CONFIG_VARIABLE_UNKNOWN, /* gets a warning */
    CONFIG_VARIABLE_REFUSED, /* unknown, and named as those that restrict: egress, auth, limits */
};

enum config_variable config_variable_kind(const char *name, const char *value);

/* The dotted name of the variable's setting; NULL: it has none. */
const char *config_variable_key(const char *name);

/* Writes the variable of a setting that is spelt most like `name` to `to`, and returns it. */
const char *config_variable_nearest(char *to, size_t size, const char *name);

/* Logs a warning for each unknown variable, with the nearest name; never the value. */
void config_variable_warn(char *const *environment);

#endif
