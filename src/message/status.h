/*
 * status.h - the body of …/v1/status: the metrics as JSON, with versions and each session.
 */
#ifndef MESSAGE_STATUS_H
#define MESSAGE_STATUS_H

#include "engine/engine.h"
#include "util/buffer.h"

struct status_gateway { /* figures that the FastCGI server gives */
    int64_t uptime_seconds;
    bool draining;
    int64_t connections, parked, requests, cancelled;
};

/* -1: no memory. */
int status_write(struct buffer *out, struct curlew *engine, const struct status_gateway *g);

#endif
