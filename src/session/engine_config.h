/*
 * engine_config.h - the settings of an engine: threads, limits, egress rules, sessions.
 *
 * Plain data, owned by its maker; the engine copies what it keeps.
 */
#ifndef SESSION_ENGINE_CONFIG_H
#define SESSION_ENGINE_CONFIG_H

#include "egress/egress_config.h"
#include "session/session_config.h"
#include "util/log_sink.h"

struct limits {
    int64_t request_bytes;  /* of one FastCGI request's body */
    int64_t upload_bytes;   /* of one body that follows its request object; 0: no limit */
    int64_t response_bytes; /* of one decoded body, unless the request has a lower limit */
    int64_t head_bytes;     /* of the head that a stream or a handoff passes on */
    int64_t buffered_bytes; /* of all bodies held at once */
    int64_t session_bytes;  /* of one session object */
    int64_t sessions_bytes; /* of all of them, replaced ones that fetches still hold too */
    struct request_limits request;
    int in_flight; /* transfers at once */
    int queue;     /* fetches that may wait for a transfer to end */
};

struct engine_config {
    int threads;
    struct limits limits;
    struct egress_config egress;
    struct log_sink log;             /* silent by default */
    struct session_config *sessions; /* one is named "default" */
    size_t session_count;
};

/*
 * The defaults of docs/api.md, with the session "default".  If memory runs out, session_count
 * stays 0.
 */
void engine_config_init(struct engine_config *s);

void engine_config_destroy(struct engine_config *s);

#endif
