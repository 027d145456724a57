/*
 * request.h - what to fetch and how: one request object as plain data.
 *
 * A session's defaults are a request too, without URL, body and params.  The bits in `set` tell
 * which keys were given, so that request_merge_defaults() can fill the others from the session.
 * Every string is owned by the request.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "fingerprint/extra_fingerprint.h"
#include "http/ca_store.h"
#include "http/cookies.h"
#include "http/headers.h"
#include "http/retry_policy.h"
#include "util/failure.h"
#include "util/field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_METHODS_MAX 100 /* of retries.methods */

/* As much of a tracestate as everybody has to pass on (W3C Trace Context 3.3.1.5). */
#define TRACE_VALUE_MAX 512

/* How many of a list one request or session may bring: the settings limits.NAME. */
struct request_limits {
    int headers; /* of forward_headers, too */
    int params, cookies, parts;
};

#define REQUEST_LIMITS_DEFAULT ((struct request_limits){ 1000, 1000, 1000, 1000 })

struct part { /* of a multipart/form-data body, RFC 7578 */
    char *name;
    char *data; /* `size` bytes */
    size_t size;
    char *filename;     /* or NULL */
    char *content_type; /* or NULL */
    struct headers headers;
};

struct credentials {
    char *user, *password;
};

enum http_version { HTTP_AUTO, HTTP_1_1, HTTP_2, HTTP_2_PRIOR_KNOWLEDGE, HTTP_3, HTTP_3_ONLY };
enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_DIGEST, AUTH_BEARER };
enum response_body { BODY_AUTO, BODY_TEXT, BODY_BASE64, BODY_NONE };

/* Beyond util/field.h's. */
enum request_kind {
    REQUEST_NONE = FIELD_OTHER, /* no member of its own: it is read into another */
    REQUEST_GROUP,              /* an object: the rows "NAME.…" are its keys */
    REQUEST_HEADERS,            /* struct headers */
    REQUEST_COOKIES,            /* struct cookies */
    REQUEST_CREDENTIALS,        /* struct credentials */
    REQUEST_AUTH,               /* `auth`, `auth_pair` and `auth_token` */
    REQUEST_STATUSES,           /* a retry_policy's bits */
    REQUEST_METHODS,            /* a retry_policy's methods */
    REQUEST_FAILURES,           /* a retry_policy's kinds of failure */
    REQUEST_CA,                 /* struct ca_bundle * */
    REQUEST_EXTRA,              /* struct extra_fingerprint * */
};

/* Flags beyond util/field.h's. */
enum {
    REQUEST_IN_SESSION = 1 << 8, /* may stand in a session, and in a batch's defaults */
    REQUEST_IN_QUERY = 1 << 9,   /* may stand in a query string */
    REQUEST_ANYWHERE = REQUEST_IN_SESSION | REQUEST_IN_QUERY,
    REQUEST_PER_CALLER = 1 << 10, /* callers that share one transfer may differ in it */
};

/*
 * Every key of the request object, a row each: ID, name, kind, member, min, max, words, initial
 * value, flags.  `initial` 0 leaves what request_init() finds.  A row without a member names
 * another's.
 */
/* clang-format off */
#define REQUEST_KEYS(X)                                                                           \
    X(URL, "url", FIELD_TEXT, url, 1, INT64_MAX, NULL, 0, REQUEST_IN_QUERY | REQUEST_PER_CALLER)  \
    X(METHOD, "method", FIELD_TEXT, method, 0, INT64_MAX, NULL, 0,                                \
      REQUEST_ANYWHERE | REQUEST_PER_CALLER)                                                      \
    X(PARAMS, "params", REQUEST_NONE, url, 0, 0, NULL, 0, REQUEST_PER_CALLER)                     \
    X(HEADERS, "headers", REQUEST_HEADERS, headers, 0, 0, NULL, 0,                                \
      REQUEST_IN_SESSION | FIELD_SECRET)                                                          \
    X(COOKIES, "cookies", REQUEST_COOKIES, cookies, 0, 0, NULL, 0,                                \
      REQUEST_IN_SESSION | FIELD_SECRET | REQUEST_PER_CALLER)                                     \
    X(BODY, "body", REQUEST_NONE, body, 0, 0, NULL, 0, REQUEST_IN_QUERY | REQUEST_PER_CALLER)     \
    X(BODY_BASE64, "body_base64", REQUEST_NONE, body, 0, 0, NULL, 0,                              \
      REQUEST_IN_QUERY | REQUEST_PER_CALLER)                                                      \
    X(JSON, "json", REQUEST_NONE, body, 0, 0, NULL, 0, REQUEST_PER_CALLER)                        \
    X(FORM, "form", REQUEST_NONE, body, 0, 0, NULL, 0, REQUEST_PER_CALLER)                        \
    X(MULTIPART, "multipart", REQUEST_NONE, parts, 0, 0, NULL, 0, REQUEST_PER_CALLER)             \
    X(BODY_FOLLOWS, "body_follows", REQUEST_NONE, upload_length, 0, 0, NULL, 0,                   \
      REQUEST_PER_CALLER)                                                                         \
    X(TIMEOUTS, "timeout", REQUEST_GROUP, total_timeout_ms, 0, 0, NULL, 0, REQUEST_ANYWHERE)      \
    X(CONNECT_TIMEOUT, "timeout.connect", FIELD_MS, connect_timeout_ms, 1, TIMEOUT_MAX_MS,        \
      NULL, 10000, REQUEST_IN_SESSION)                                                            \
    X(TOTAL_TIMEOUT, "timeout.total", FIELD_MS, total_timeout_ms, 1, TIMEOUT_MAX_MS, NULL,        \
      30000, REQUEST_IN_SESSION | REQUEST_PER_CALLER)                                             \
    X(IDLE_TIMEOUT, "timeout.idle", FIELD_MS, idle_timeout_ms, 1, TIMEOUT_MAX_MS, NULL, 0,        \
      REQUEST_IN_SESSION)                                                                         \
    X(FOLLOW_REDIRECTS, "follow_redirects", FIELD_BOOL, follow_redirects, 0, 0, NULL, 1,          \
      REQUEST_ANYWHERE)                                                                           \
    X(MAX_REDIRECTS, "max_redirects", FIELD_INT, max_redirects, 0, 100, NULL, 30,                 \
      REQUEST_ANYWHERE)                                                                           \
    X(REDIRECTS_PUBLIC_ONLY, "redirects_public_only", FIELD_BOOL, redirects_public_only, 0, 0,    \
      NULL, 0, REQUEST_ANYWHERE)                                                                  \
    X(VERIFY, "verify", FIELD_BOOL, verify, 0, 0, NULL, 1, REQUEST_ANYWHERE)                      \
    X(CA_PEM, "ca_pem", REQUEST_CA, ca, 0, 0, NULL, 0, REQUEST_IN_SESSION)                        \
    X(HTTP_VERSION, "http_version", FIELD_CHOICE, http_version, 0, 0, versions, 0,                \
      REQUEST_ANYWHERE)                                                                           \
    X(PROXY, "proxy", FIELD_TEXT, proxy, 0, INT64_MAX, NULL, 0, REQUEST_ANYWHERE | FIELD_SECRET)  \
    X(PROXY_AUTH, "proxy_auth", REQUEST_CREDENTIALS, proxy_auth, 0, 0, NULL, 0,                   \
      REQUEST_IN_SESSION | FIELD_SECRET)                                                          \
    X(AUTH, "auth", REQUEST_AUTH, auth, 0, 0, NULL, 0, REQUEST_IN_SESSION | FIELD_SECRET)         \
    X(DECOMPRESS, "decompress", FIELD_BOOL, decompress, 0, 0, NULL, 1, REQUEST_ANYWHERE)          \
    X(MAX_BODY_BYTES, "max_body_bytes", FIELD_INT64, max_body_bytes, 0, FIELD_BYTES_MAX, NULL,    \
      INT64_MAX, REQUEST_ANYWHERE)                                                                \
    X(RETRY, "retries", REQUEST_GROUP, retries.max, 0, 100, NULL, 0, REQUEST_ANYWHERE)            \
    X(RETRIES, "retries.max", FIELD_INT, retries.max, 0, 100, NULL, 0, REQUEST_IN_SESSION)        \
    X(BACKOFF, "retries.backoff", FIELD_MS, retries.backoff_ms, 0, BACKOFF_MAX_MS, NULL, 0,       \
      REQUEST_IN_SESSION)                                                                         \
    X(MAX_BACKOFF, "retries.max_backoff", FIELD_MS, retries.max_backoff_ms, 0, BACKOFF_MAX_MS,    \
      NULL, 0, REQUEST_IN_SESSION)                                                                \
    X(RETRY_STATUSES, "retries.statuses", REQUEST_STATUSES, retries.statuses, 0, 0, NULL, 0,      \
      REQUEST_IN_SESSION)                                                                         \
    X(RETRY_METHODS, "retries.methods", REQUEST_METHODS, retries.methods, 0, 0, NULL, 0,          \
      REQUEST_IN_SESSION)                                                                         \
    X(RETRY_ON, "retries.on", REQUEST_FAILURES, retries.on, 0, 0, NULL, 0, REQUEST_IN_SESSION)    \
    X(RETRY_AFTER, "retries.respect_retry_after", FIELD_BOOL, retries.respect_retry_after, 0,     \
      0, NULL, 0, REQUEST_IN_SESSION)                                                             \
    X(SESSION, "session", FIELD_TEXT, session, 1, 64, NULL, 0,                                    \
      REQUEST_IN_QUERY | REQUEST_PER_CALLER)                                                      \
    X(COALESCE, "coalesce", FIELD_BOOL, coalesce, 0, 0, NULL, 0,                                  \
      REQUEST_ANYWHERE | REQUEST_PER_CALLER)                                                      \
    X(IMPERSONATE, "impersonate", FIELD_TEXT, impersonate, 0, INT64_MAX, NULL, 0,                 \
      REQUEST_ANYWHERE)                                                                           \
    X(FINGERPRINT, "fingerprint", REQUEST_GROUP, ja3, 0, 0, NULL, 0, REQUEST_IN_SESSION)          \
    X(JA3, "fingerprint.ja3", FIELD_TEXT, ja3, 1, INT64_MAX, NULL, 0, REQUEST_IN_SESSION)         \
    X(AKAMAI, "fingerprint.akamai", FIELD_TEXT, akamai, 1, INT64_MAX, NULL, 0,                    \
      REQUEST_IN_SESSION)                                                                         \
    X(PERK, "fingerprint.perk", FIELD_TEXT, perk, 1, INT64_MAX, NULL, 0, REQUEST_IN_SESSION)      \
    X(EXTRA, "fingerprint.extra", REQUEST_EXTRA, extra, 0, 0, NULL, 0, REQUEST_IN_SESSION)        \
    X(DEFAULT_HEADERS, "default_headers", FIELD_BOOL, default_headers, 0, 0, NULL, 1,             \
      REQUEST_ANYWHERE)                                                                           \
    X(RESPONSE_BODY, "response_body", FIELD_CHOICE, response_body, 0, 0, bodies, 0,               \
      REQUEST_ANYWHERE)                                                                           \
    X(MAX_RECV_SPEED, "max_recv_speed", FIELD_INT64, max_recv_speed, 1, FIELD_BYTES_MAX, NULL,    \
      0, REQUEST_ANYWHERE)                                                                        \
    X(FORWARD_HEADERS, "forward_headers", REQUEST_HEADERS, forward, 0, 0, NULL, 0,                \
      REQUEST_IN_SESSION | REQUEST_PER_CALLER)                                                    \
    X(TAG, "tag", FIELD_TEXT, tag, 0, 4096, NULL, 0, REQUEST_ANYWHERE | REQUEST_PER_CALLER)       \
    X(TRACEPARENT, "traceparent", FIELD_TEXT, traceparent, 1, TRACE_VALUE_MAX, NULL, 0,           \
      REQUEST_PER_CALLER)                                                                         \
    X(TRACESTATE, "tracestate", FIELD_TEXT, tracestate, 1, TRACE_VALUE_MAX, NULL, 0,              \
      REQUEST_PER_CALLER)
/* clang-format on */

enum request_key {
#define X(id, ...) KEY_##id,
    REQUEST_KEYS(X)
#undef X
        KEY_COUNT
};

/* The bits of `set`, one a key. */
enum {
#define X(id, ...) SET_##id = UINT64_C(1) << KEY_##id,
    REQUEST_KEYS(X)
#undef X
};

struct request {
    struct request_limits most;
    uint64_t set; /* SET_ bits */
    /* Of request_merge_defaults(): what came from the session, which may not go everywhere. */
    uint64_t lent;                     /* SET_ bits of keys … */
    size_t lent_headers, lent_cookies; /* … and so many at the end of these lists */
    char *url;                         /* absolute, params already in its query */
    char *method;                      /* NULL: GET, or POST where there is a body */
    char *session;                     /* NULL: "default" */
    char *tag;
    struct headers headers;
    char *traceparent, *tracestate; /* in place of the caller's own */
    /* The trace context of both, sent unless `headers` has the same name. */
    struct headers trace;
    struct headers forward; /* names only: headers of the browser that a handoff passes on */
    struct cookies cookies;

    char *body; /* body_size bytes, then a NUL; NULL: none, or multipart */
    size_t body_size;
    const char *body_type; /* a static string: the Content-Type where no header names one */
    struct part *parts;
    size_t part_count, part_headers; /* headers of all parts together */
    bool body_follows;     /* the body comes after the request object, of so many bytes; … */
    int64_t upload_length; /* … -1: of any number */

    int64_t connect_timeout_ms, total_timeout_ms, idle_timeout_ms; /* 0: no limit */
    bool follow_redirects;
    int max_redirects;
    bool redirects_public_only; /* whatever the egress rules allow */
    bool verify;
    struct ca_bundle *ca; /* whom to trust, with `verify`; NULL: the session's file or the system */
    bool decompress;
    bool coalesce; /* identical GETs in flight share one transfer */
    enum http_version http_version;
    char *impersonate;               /* a browser; NULL: none */
    bool default_headers;            /* the browser's own, too */
    char *ja3, *akamai, *perk;       /* fingerprint: what the hello and the frames look like … */
    struct extra_fingerprint *extra; /* … and details of it; each NULL: as `impersonate` says */
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

/* The row of a key. */
const struct field *request_key_field(enum request_key key);

/* The key of this name, which may have a dot in it; KEY_COUNT: none. */
enum request_key request_key_find(const char *name);

/*
 * Does `set` tell whether the key was given?  Not of lists, which are merged item by item, nor of
 * keys that belong to a single request.
 */
bool request_key_is_tracked(enum request_key key);

/* The key's value, and whether it was given.  -1: no memory. */
int request_key_copy(struct request *to, const struct request *from, enum request_key key);

/* May two requests of the same URL and session share one transfer? */
bool request_is_identical(const struct request *a, const struct request *b);

/* The contract's defaults, nothing set; `most` may be changed then. */
void request_init(struct request *r);

void request_destroy(struct request *r);

/*
 * Each returns 0, or -1 with `err` filled: CR, LF or NUL in a header, a name or a method that is
 * no token (RFC 9110 section 5.6.2), more than `most` allows, or no memory.  They copy what they
 * are given.
 */
int request_check_count(const char *key, size_t count, int most, struct failure *err);
int request_set_method(struct request *r, const char *method, struct failure *err);
int request_add_header(struct request *r, const char *name, const char *value, struct failure *err);
int request_forward_header(struct request *r, const char *name, struct failure *err);

/* Likewise; a deleted one is ignored.  Bytes that no Cookie field can hold are refused. */
int request_add_cookie(struct request *r, const struct cookie *c, struct failure *err);
int request_add_part(struct request *r, const struct part *p, struct failure *err);

/* To a part that is to be added: of all parts together, no more than a request may have. */
int request_add_part_header(struct request *r, struct part *p, const char *name, const char *value,
                            struct failure *err);
int request_add_retry_method(struct request *r, const char *method, struct failure *err);

/* -1 with `err` where the body would follow: only an upload can have one that does. */
int request_refuse_upload(const struct request *r, struct failure *err);

/* Is there a body, of whatever form? */
bool request_has_body(const struct request *r);

/* Is the i-th header one that the session has added? */
bool request_is_lent_header(const struct request *r, size_t i);

/* Is any of `fingerprint` given? */
bool request_has_fingerprint(const struct request *r);

/* Is it to look like another client: by `impersonate` or `fingerprint`? */
bool request_is_disguised(const struct request *r);

/* h and all of `fingerprint`, so that two that differ share neither connection nor ticket. */
uint64_t request_hash_fingerprint(uint64_t h, const struct request *r);

/* What it takes of memory, about, without its body. */
size_t request_bytes(const struct request *r);

/* Given or removed. */
bool request_has_header(const struct request *r, const char *name);

/* The method that is sent: where none is given, POST with a body, else GET. */
const char *request_method(const struct request *r);

#endif
