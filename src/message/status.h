/*
 * status.h - what …/v1/status says: the metrics' facts as JSON, with versions and each session.
 */
#ifndef MESSAGE_STATUS_H
#define MESSAGE_STATUS_H

#include "engine/engine.h"
#include "util/buffer.h"

struct status_gateway { /* the floor above's own figures */
    int64_t uptime_seconds;
    bool draining;
    int64_t connections, parked, requests, cancelled;
};

/* -1: no memory. */
int status_write(struct buffer *out, struct curlew *engine, const struct status_gateway *g);

#endif
