/*
 * batch.h - JSON to a batch: its requests, read one by one as they are started, so that the tree of
 * all is never in memory.
 *
 *     {"requests": [{…}, …], "defaults": {…}, "max_parallel": N, "order": "completed"|"input"}
 *
 * Only `requests` is required.  `defaults` takes what a session's defaults take, and `session`.
 */
#ifndef MESSAGE_BATCH_H
#define MESSAGE_BATCH_H

#include "http/request.h"
#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>

#define BATCH_REQUESTS_MAX 100000
#define BATCH_PARALLEL_MAX 1000
#define BATCH_LARGE        (256 * 1024) /* bytes; a larger request is read with the batch */
#define BATCH_PARALLEL     32           /* where the batch does not say */

struct batch;

/*
 * The text stays the caller's, who keeps it until batch_free().  Each request, and the defaults,
 * may bring as many of a list as `most` says.  NULL with `err` (bad_request) names the key that is
 * wrong.  What is inside a request object is checked by batch_read().
 */
struct batch *batch_from_text(const char *text, size_t size, const struct request_limits *most,
                              struct failure *err);
void batch_free(struct batch *b);

/* 0 to BATCH_REQUESTS_MAX. */
size_t batch_count(const struct batch *b);

/* 1 to BATCH_PARALLEL_MAX. */
size_t batch_parallel(const struct batch *b);

/* Of input, not of completion. */
bool batch_in_order(const struct batch *b);

/*
 * The i-th request, filled up from the batch's defaults, into r (initialised by the caller), once
 * only.  -1 with `err` as request_json_read(), and then r still has its tag, where it has one.
 */
int batch_read(struct batch *b, size_t i, struct request *r, struct failure *err);

#endif
