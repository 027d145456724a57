/*
 * field_json.h - one JSON value into one member of a struct, and back, as a table's row says.
 */
#ifndef MESSAGE_FIELD_JSON_H
#define MESSAGE_FIELD_JSON_H

#include "message/json.h"
#include "message/json_path.h"
#include "util/failure.h"
#include "util/field.h"

#include <stddef.h>

/*
 * Read a value of a kind below FIELD_OTHER.  0; -1 with `err`: a wrong type or range, or no memory.
 * A text frees the one before it.
 */
int field_json_read(void *object, const struct field *f, const json_t *value,
                    const struct json_path *at, struct failure *err);

/* The same member as JSON.  A new reference; NULL: no memory. */
json_t *field_json_value(const void *object, const struct field *f);

/* Text without NUL; the caller owns *to and may hand in an older one, which is freed. */
int field_json_text(char **to, const json_t *value, const struct json_path *at,
                    struct failure *err);

/* Likewise, but the value is base64 of the string's bytes, which need not be UTF-8. */
int field_json_bytes(char **to, const json_t *value, const struct json_path *at,
                     struct failure *err);

/* A JSON list of texts, none of them empty, in the place of what *list held.  -1 with `err`. */
int field_json_texts(char ***list, size_t *count, const json_t *value, const struct json_path *at,
                     struct failure *err);
void field_json_texts_free(char **list, size_t count);

/* The value's own bytes; NULL with `err` where it is no text or holds a NUL. */
const char *field_json_string(const json_t *value, const struct json_path *at, struct failure *err);

/*
 * The JSON value that `text`, from a query or the environment, stands for.  `kind` is that of a
 * field; FIELD_NUMBER takes true and false, too.  A new reference, or NULL: no memory.
 */
json_t *field_json_from_text(int kind, const char *text, size_t n);

#endif
