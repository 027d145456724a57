/*
 * request.h - what to fetch and how: one request object as plain data.
 *
 * A session's defaults are a request too, without URL, body and params.  The
 * bits in `set` tell which scalars were given, so that request_merge_defaults() can
 * fill the others from the session.  Every string is owned by the request.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http/cookies.h"
#include "http/headers.h"
#include "http/retry_policy.h"
#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part { /* of a multipart/form-data body, RFC 7578 */
    char *name;
    char *data; /* `size` bytes */
    size_t size;
    char *filename;     /* or NULL */
    char *content_type; /* or NULL */
};

struct credentials {
    char *user, *password;
};

enum http_version { HTTP_AUTO, HTTP_1_1, HTTP_2, HTTP_2_PRIOR_KNOWLEDGE, HTTP_3 };
enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_DIGEST, AUTH_BEARER };
enum response_body { BODY_AUTO, BODY_TEXT, BODY_BASE64, BODY_NONE };

/* Which scalars were given. */
enum {
    SET_METHOD = 1 << 0,
    SET_CONNECT_TIMEOUT = 1 << 1,
    SET_TOTAL_TIMEOUT = 1 << 2,
    SET_IDLE_TIMEOUT = 1 << 3,
    SET_FOLLOW_REDIRECTS = 1 << 4,
    SET_MAX_REDIRECTS = 1 << 5,
    SET_VERIFY = 1 << 6,
    SET_HTTP_VERSION = 1 << 7,
    SET_PROXY = 1 << 8,
    SET_PROXY_AUTH = 1 << 9,
    SET_AUTH = 1 << 10,
    SET_DECOMPRESS = 1 << 11,
    SET_MAX_BODY_BYTES = 1 << 12,
    SET_RESPONSE_BODY = 1 << 13,
    SET_MAX_RECV_SPEED = 1 << 14,
    SET_TAG = 1 << 15,
    SET_COALESCE = 1 << 16,
    SET_RETRIES = 1 << 17, /* the count; how to retry is said key by key */
    SET_BACKOFF = 1 << 18,
    SET_MAX_BACKOFF = 1 << 19,
    SET_RETRY_STATUSES = 1 << 20,
    SET_RETRY_METHODS = 1 << 21,
    SET_RETRY_AFTER = 1 << 22,
    SET_IMPERSONATE = 1 << 23,
};

struct request {
    uint32_t set;  /* SET_ bits */
    char *url;     /* absolute, params already in its query */
    char *method;  /* NULL: GET, or POST where there is a body */
    char *session; /* NULL: "default" */
    char *tag;
    struct headers headers;
    /* Of the caller's own request: passed on where no header says otherwise. */
    struct headers trace;
    struct headers forward; /* names only: headers of the browser that a hand-off passes on */
    struct cookies cookies;

    char *body; /* body_size bytes, then a NUL; NULL: none, or multipart */
    size_t body_size;
    const char *body_type; /* a static string: the Content-Type where no header names one */
    struct part *parts;
    size_t part_count;

    int64_t connect_timeout_ms, total_timeout_ms, idle_timeout_ms; /* 0: no limit */
    bool follow_redirects;
    int max_redirects;
    bool verify;
    bool decompress;
    bool coalesce; /* identical GETs in flight share one transfer */
    enum http_version http_version;
    char *impersonate; /* a browser; NULL: none */
    char *proxy;
    struct credentials proxy_auth;
    enum auth_kind auth;
    struct credentials auth_pair; /* basic, digest */
    char *auth_token;             /* bearer */
    int64_t max_body_bytes;       /* of the decoded body */
    int64_t max_recv_speed;       /* bytes a second; 0: no limit */
    enum response_body response_body;
    struct retry_policy retries;
};

/* The contract's defaults, nothing set. */
void request_init(struct request *r);

void request_destroy(struct request *r);

/*
 * Each returns 0, or -1 with `err` filled: CR, LF or NUL in a header, a name or a method that is
 * no token (RFC 9110 section 5.6.2), or no memory.  They copy what they are given.
 */
int request_set_method(struct request *r, const char *method, struct failure *err);
int request_add_header(struct request *r, const char *name, const char *value, struct failure *err);
int request_forward_header(struct request *r, const char *name, struct failure *err);
int request_add_cookie(struct request *r, const struct cookie *c, struct failure *err);
int request_add_part(struct request *r, const struct part *p, struct failure *err);
int request_add_retry_method(struct request *r, const char *method, struct failure *err);

/* Given or removed. */
bool request_has_header(const struct request *r, const char *name);

/* The method that is sent: where none is given, POST with a body, else GET. */
const char *request_method(const struct request *r);

#endif
