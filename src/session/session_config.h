/*
 * session_config.h - what a session engine is told: limits, egress rules, named sessions.
 *
 * Plain data, owned by whoever made it; the engine copies what it keeps.
 */
#ifndef SESSION_SESSION_CONFIG_H
#define SESSION_SESSION_CONFIG_H

#include "egress/egress.h"
#include "http/request.h"
#include "limits/circuit_breaker.h"
#include "limits/token_bucket.h"
#include "util/field.h"

#include <stddef.h>
#include <stdint.h>

struct session_config {
    char *name;              /* 1 to 64 of A-Z a-z 0-9 . _ - */
    struct request defaults; /* no URL, body or params */
    bool shared_jar;         /* cookie_jar: "shared"; false: "none" */
    bool trace_context;      /* pass on the caller's traceparent, tracestate, X-Request-ID */
    char **proxies;          /* in turn, where the request names none; owned */
    size_t proxy_count;
    int max_in_flight;            /* transfers of the session at once */
    int max_per_origin;           /* of these, toward one origin */
    int idle_connections;         /* warm connections kept, that this session opened */
    int idle_seconds;             /* a connection idle for longer is closed */
    struct rate_limit rate_limit; /* rate_per_origin, burst */
    struct circuit_breaker_config breaker;
    char *ca_file;                  /* PEM; NULL: the system's */
    char *client_cert, *client_key; /* PEM; NULL: none */
};

struct limits {
    int64_t request_bytes;  /* of one FastCGI request's body */
    int64_t response_bytes; /* of one decoded body, where the request does not say */
    int64_t buffered_bytes; /* of all bodies held at once */
    int in_flight;          /* transfers at once */
    int queue;              /* fetches waiting for their turn */
};

struct engine_config {
    int threads;
    struct limits limits;
    struct egress_config egress;
    struct session_config *sessions; /* one is named "default" */
    size_t session_count;
};

enum session_kind {                              /* beyond util/field.h's */
                    SESSION_GROUP = FIELD_OTHER, /* an object: the rows "NAME.…" are its keys */
                    SESSION_PROXIES,
};

/*
 * The i-th of the keys that a session has beside the request object's; NULL past the last.  A
 * FIELD_PATH is a file of this machine, which only the configuration may name.
 */
const struct field *session_config_field(size_t i);

/* The row of this name, which may have a dot in it; NULL: none. */
const struct field *session_config_find(const char *name);

/* The defaults of docs/api.md. */
void session_config_init(struct session_config *s);

/* *to, uninitialized before, becomes a copy.  -1 with `err`: no memory; to be destroyed as well. */
int session_config_copy(struct session_config *to, const struct session_config *from,
                        struct failure *err);

void session_config_destroy(struct session_config *s);

/* With the session "default". */
void engine_config_init(struct engine_config *s);

void engine_config_destroy(struct engine_config *s);

#endif
