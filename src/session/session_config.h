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

#define SESSION_CONFIG_FIELDS_MAX 32 /* of session_config_field() */

enum tls_version { TLS_ANY, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };

struct session_config {
    char *name;              /* 1 to 64 of A-Z a-z 0-9 . _ - */
    struct request defaults; /* merged into each request; no URL, body or params */
    bool shared_jar;         /* cookie_jar: "shared"; false: "none" */
    bool isolate;            /* connections and TLS tickets of its own */
    bool trace_context;      /* pass on the caller's traceparent, tracestate, X-Request-ID */
    char **proxies;          /* owned; used in turn by requests that name none */
    size_t proxy_count;
    bool proxy_resolves;          /* any proxy may resolve names, out of the egress guard's sight */
    bool proxies_by_limited;      /* not by the operator: `proxy` and `proxies` may not either */
    char **hosts;                 /* owned; where its headers, cookies and credentials may go */
    size_t host_count;            /* 0: to the origin of a fetch's first hop */
    int max_in_flight;            /* transfers of the session at once */
    int max_per_origin;           /* of these, to one origin */
    int idle_connections;         /* kept open, of those that this session opened */
    int idle_seconds;             /* a connection idle for longer is closed */
    struct rate_limit rate_limit; /* rate_per_origin, burst */
    struct circuit_breaker_config breaker;
    char *ca_file;                  /* path of a PEM file; NULL: the system's */
    char *client_cert, *client_key; /* paths of PEM files; NULL: none */
    enum tls_version tls_min;       /* of origins; TLS_ANY: as libcurl likes */
    char *ciphers;                  /* likewise; names with colons between */
    char **resolve;                 /* owned; "host:port:address,…", IPv6 in brackets */
    size_t resolve_count;
    char *interface; /* by which to connect: its name or address; NULL: any */
    /* Written, or even created, by a token for certain sessions: session_ceiling.h. */
    bool by_limited_token, made_by_limited_token;
    double ceiling[SESSION_CONFIG_FIELDS_MAX]; /* of one written so; by the field's index */
};

/* Flags beyond util/field.h's: a limited token may not go further than an operator has. */
enum {
    SESSION_AT_MOST = 1 << 8,
    SESSION_AT_LEAST = 1 << 9,
    SESSION_CONFIGURED = 1 << 10, /* only the configuration may say it */
};

/* Kinds beyond util/field.h's. */
enum session_kind {
    SESSION_GROUP = FIELD_OTHER, /* an object: the rows "NAME.…" are its keys */
    SESSION_PROXIES,             /* `proxies` and `proxy_count` */
    SESSION_HOSTS,               /* `hosts` and `host_count` */
    SESSION_RESOLVE,             /* `resolve` and `resolve_count` */
};

/* The i-th of the keys that a session has beside the request object's; NULL past the last. */
const struct field *session_config_field(size_t i);

/* The row of this name, which may have a dot in it; NULL: none. */
const struct field *session_config_find(const char *name);

/* The defaults of docs/api.md, without a name. */
void session_config_init(struct session_config *s);

void session_config_destroy(struct session_config *s);

/* One key's value, for a kind below FIELD_OTHER or SESSION_RESOLVE.  -1: no memory. */
int session_config_copy_field(struct session_config *to, const struct session_config *from,
                              const struct field *f);

/* What a copy of it takes of memory, about. */
int64_t session_config_bytes(const struct session_config *s);

/* *to, uninitialized before, becomes a copy.  -1 with `err`: no memory; to be destroyed as well. */
int session_config_copy(struct session_config *to, const struct session_config *from,
                        struct failure *err);

#endif
