/*
 * request_context.h - one request object being read, as the files that read its keys share it.
 */
#ifndef MESSAGE_REQUEST_CONTEXT_H
#define MESSAGE_REQUEST_CONTEXT_H

#include "http/request.h"
#include "message/field_json.h"

struct request_context {
    struct request *r;
    struct failure *err;
    const json_t *params;  /* kept for the end: they need the URL, which may come after them */
    const char *body_form; /* the key that gave the body; NULL: none so far */
};

/* One key's value, found at `at`, into the request.  0, or -1 with the context's `err`. */
typedef int request_read(struct request_context *rd, const struct json_path *at,
                         const json_t *value);

#endif
