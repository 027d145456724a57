/*
 * config_table.h - what the files that read the configuration share: the table of settings.
 */
#ifndef MESSAGE_CONFIG_TABLE_H
#define MESSAGE_CONFIG_TABLE_H

#include "message/config.h"
#include "message/field_reader.h"

typedef int setting_read(struct config *c, const json_t *value, const struct json_path *at,
                         struct failure *err);

struct setting {
    struct field field;                 /* its name is dotted: "limits.in_flight" */
    setting_read *read;                 /* where the field's kind is FIELD_OTHER */
    enum { ONE, TEXTS, INTEGERS } list; /* in the environment, commas separate a list's elements */
};

const struct setting *setting_find(const char *name);

/* "limits": settings' names go on from it after a dot. */
bool setting_is_group(const char *name);

/* A JSON list of texts, none of them empty, in the place of what *list held.  -1 with `err`. */
int setting_read_texts(char ***list, size_t *count, const json_t *value, const struct json_path *at,
                       struct failure *err);
void setting_texts_free(char **list, size_t count);
int setting_apply(struct config *c, const struct setting *row, const json_t *value,
                  const struct json_path *at, struct failure *err);

/* config_env.c */
int config_read_environment(struct config *c, char **environment, struct failure *err);

/* config_session.c */
int config_read_sessions(struct config *c, const json_t *object, const struct json_path *at,
                         struct failure *err);

#endif
