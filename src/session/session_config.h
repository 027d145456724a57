/*
 * session_config.h - the settings of one session.
 *
 * Plain data, owned by its maker; a session copies what it keeps.
 */
#ifndef SESSION_SESSION_CONFIG_H
#define SESSION_SESSION_CONFIG_H

#include "http/request.h"
#include "limits/circuit_breaker.h"
#include "limits/token_bucket.h"
#include "util/field.h"

#include <stddef.h>
#include <stdint.h>

struct session_config {
    char *name;              /* 1 to 64 of A-Z a-z 0-9 . _ - */
    struct request defaults; /* merged into each request; no URL, body or params */
    bool shared_jar;         /* cookie_jar: "shared"; false: "none" */
    bool trace_context;      /* pass on the caller's traceparent, tracestate, X-Request-ID */
    char **proxies;          /* owned; used in turn by requests that name none */
    size_t proxy_count;
    int max_in_flight;            /* transfers of the session at once */
    int max_per_origin;           /* of these, to one origin */
    int idle_connections;         /* kept open, of those that this session opened */
    int idle_seconds;             /* a connection idle for longer is closed */
    struct rate_limit rate_limit; /* rate_per_origin, burst */
    struct circuit_breaker_config breaker;
    char *ca_file;                  /* path of a PEM file; NULL: the system's */
    char *client_cert, *client_key; /* paths of PEM files; NULL: none */
};

/* Kinds beyond util/field.h's. */
enum session_kind {
    SESSION_GROUP = FIELD_OTHER, /* an object: the rows "NAME.…" are its keys */
    SESSION_PROXIES,             /* `proxies` and `proxy_count` */
};

/*
 * The i-th of the keys that a session has beside the request object's; NULL past the last.  A
 * FIELD_PATH is a file of this machine, which only the configuration may name.
 */
const struct field *session_config_field(size_t i);

/* The row of this name, which may have a dot in it; NULL: none. */
const struct field *session_config_find(const char *name);

/* The defaults of docs/api.md, without a name. */
void session_config_init(struct session_config *s);

void session_config_destroy(struct session_config *s);

/* *to, uninitialized before, becomes a copy.  -1 with `err`: no memory; to be destroyed as well. */
int session_config_copy(struct session_config *to, const struct session_config *from,
                        struct failure *err);

#endif
