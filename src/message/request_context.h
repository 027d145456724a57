/*
 * request_context.h - what the files that read a request object share.
 */
#ifndef MESSAGE_REQUEST_CONTEXT_H
#define MESSAGE_REQUEST_CONTEXT_H

#include "message/field_reader.h"
#include "message/request_keys.h"

#include <stdbool.h>

/* One request object being read. */
struct request_context {
    struct request *r;
    struct failure *err;
    const json_t *params;  /* kept for the end: they need the URL, which may come after them */
    const char *body_form; /* the key that gave the body; NULL: none so far */
};

typedef int request_read(struct request_context *rd, const struct json_path *at,
                         const json_t *value);

enum {                       /* where else a key may stand */
       KEY_DEFAULT = 1 << 0, /* in a session's defaults */
       KEY_QUERY = 1 << 1,   /* in a query string */
       KEY_SCALAR = 1 << 2,  /* there, a number or a boolean */
};

struct request_key {
    struct field field;
    uint32_t bit;       /* SET_ bit, or 0 */
    unsigned allowed;   /* KEY_ bits */
    request_read *read; /* where the field's kind is FIELD_OTHER */
};

const struct request_key *request_key_find(const char *name);
size_t request_key_index(const struct request_key *key);
int request_key_read(struct request_context *rd, const struct request_key *key,
                     const struct json_path *at, const json_t *value);

/* After the last key: url is there, params go into it. */
int request_finish(struct request_context *rd);

/* As request_default_from_json(), for a key somewhere inside a larger document. */
int request_read_default(struct request *r, const struct json_path *at, const json_t *value,
                         struct failure *err);

/* request_pairs.c: `add` sees each name with each value as text, and must not keep either. */
typedef int request_text(struct request_context *rd, const struct json_path *at, const json_t *name,
                         const struct buffer *text, void *arg);
int request_each_text(struct request_context *rd, const struct json_path *at, const json_t *value,
                      request_text *add, void *arg);
int request_apply_params(struct request_context *rd);
request_read request_read_headers, request_read_params;

/* request_cookies.c */
request_read request_read_cookies;

/* request_auth.c */
request_read request_read_auth, request_read_proxy, request_read_proxy_auth;

/* request_retries.c */
request_read request_read_retries;

/* request_body.c */
request_read request_read_body, request_read_body_base64, request_read_json, request_read_form,
    request_read_multipart;

#endif
