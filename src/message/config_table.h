/*
 * config_table.h - the table of settings, which serves the file, the environment (limits.in_flight
 * is CURLEW_LIMITS_IN_FLIGHT), error messages, and the check against the man page.
 */
#ifndef MESSAGE_CONFIG_TABLE_H
#define MESSAGE_CONFIG_TABLE_H

#include "message/config.h"
#include "message/json_path.h"
#include "util/field.h"

#include <jansson.h>

#define CONFIG_TABLE_PREFIX "CURLEW_"

typedef int setting_read(struct config *c, const json_t *value, const struct json_path *at,
                         struct failure *err);

struct setting {
    struct field field;                 /* its name is dotted: "limits.in_flight" */
    setting_read *read;                 /* where the field's kind is FIELD_OTHER */
    enum { ONE, TEXTS, INTEGERS } list; /* in the environment, commas separate a list's elements */
};

/* The i-th setting; NULL past the last. */
const struct setting *config_table_get(size_t i);

/* NULL: no such setting. */
const struct setting *config_table_find(const char *name);

/* "limits": settings' names go on from it after a dot. */
bool config_table_is_group(const char *name);

/* 0; -1 with `err`: a wrong type or range, or no memory. */
int config_table_apply(struct config *c, const struct setting *row, const json_t *value,
                       const struct json_path *at, struct failure *err);

/* The i-th setting's dotted name; NULL past the last. */
const char *config_table_key(size_t i);

/* The name of a setting's environment variable, written to `to` and returned. */
const char *config_table_variable(char *to, size_t size, const char *key);

/*
 * How the daemon was started; once, before it serves.  `file` is NULL without a configuration file.
 * Both stay the caller's.
 */
void config_table_set_place(const char *file, char *const *environment);

/*
 * "add it to egress.allow" helps who knows where that is.  Writes a sentence on it to `to`, "; "
 * before it, for the first setting that `detail` names; "" if it names none, or
 * config_table_set_place() was never called.
 */
void config_table_write_place(char *to, size_t size, const char *detail);

#endif
