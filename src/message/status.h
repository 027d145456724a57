/*
 * status.h - the bodies of …/v1/status, the metrics as JSON with versions and each session, and of
 * …/v1/fetches.
 */
#ifndef MESSAGE_STATUS_H
#define MESSAGE_STATUS_H

#include "engine/engine.h"
#include "engine/fetch_list.h"
#include "util/buffer.h"

struct status_gateway { /* figures that the FastCGI server gives */
    double uptime_seconds;
    int64_t start_time_seconds; /* since the epoch */
    bool draining;
    int64_t connections, parked, requests, cancelled, large_messages, slow_turns;
    int64_t log_lines_dropped;
};

/* -1: no memory. */
int status_write(struct buffer *out, struct curlew *engine, const struct status_gateway *g);

/* For a caller who may see these sessions only: without what all of them have in common. */
int status_write_limited(struct buffer *out, struct curlew *engine, const struct status_gateway *g,
                         struct session *const *sessions, size_t count);

/* What is in flight, of a list that was merged.  -1: no memory. */
int status_write_fetches(struct buffer *out, const struct fetch_list *l);

#endif
