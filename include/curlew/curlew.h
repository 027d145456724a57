/*
 * curlew.h - one shared, long-lived, asynchronous curl session.
 *
 * The engine owns one or more threads, and these alone transfer.  Any thread
 * may submit; each submitted fetch comes back exactly once, through its done
 * callback, on a thread of the engine.  A callback may look at the fetch, free
 * it or submit another, and must not block.
 *
 * Ownership: curlew_submit() takes the fetch when it returns 0, and the done
 * callback gives it back.  In between nobody else may read or write it;
 * curlew_cancel() alone is allowed.
 *
 * The egress guard stands in the library: only public addresses can be
 * fetched from, unless the options allow more.
 */
#ifndef CURLEW_CURLEW_H
#define CURLEW_CURLEW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CURLEW_VERSION "0.1.0"

struct curlew;       /* the engine: threads, warm connections, named sessions */
struct curlew_fetch; /* one request, later one response */

typedef void curlew_done(struct curlew_fetch *f, void *arg);

struct curlew_options {
    int threads;            /* 1 to 64; an origin always lands on the same one */
    int max_in_flight;      /* transfers at once; further fetches wait */
    int max_queue;          /* waiting fetches; one more is refused as "overloaded" */
    int max_per_origin;     /* transfers at once toward one scheme, host and port */
    int64_t max_body_bytes; /* of a decoded response body; more is "response_too_large" */
    /* NULL-terminated: CIDRs and host names the guard lets through; or NULL. */
    const char *const *allow;
};

/* The daemon's defaults. */
void curlew_options_init(struct curlew_options *o);

/* NULL where it cannot start; then `err` (of `size` bytes, may be NULL) says why. */
struct curlew *curlew_new(const struct curlew_options *o, char *err, size_t size);

/* Refuse new fetches from now on; those in flight go on. */
void curlew_drain(struct curlew *c);

/* Cancels what is in flight, waits for its callbacks, releases; free the fetches first. */
void curlew_free(struct curlew *c);

/*
 * A fetch of an absolute http or https URL by GET; the setters copy what they are given and return
 * 0, or -1 for what cannot be sent (a header with a line break, a method that is no token).
 */

/* NULL: no memory. */
struct curlew_fetch *curlew_fetch_new(const char *url);

int curlew_fetch_set_method(struct curlew_fetch *f, const char *method);
int curlew_fetch_add_header(struct curlew_fetch *f, const char *name, const char *value);
int curlew_fetch_set_body(struct curlew_fetch *f, const void *body, size_t size, const char *type);

/* 0: no limit. */
void curlew_fetch_set_timeout(struct curlew_fetch *f, int64_t total_ms);

/* Never one in flight. */
void curlew_fetch_free(struct curlew_fetch *f);

/*
 * 0: taken.  -1: refused, still the caller's, and curlew_fetch_error() says why.  A fetch that was
 * refused or has come back may be submitted again, but one that was cancelled stays so.
 */
int curlew_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done, void *arg);

/* From any thread, until the done callback has been entered: end the fetch soon, as "cancelled". */
void curlew_cancel(struct curlew_fetch *f);

/* What came back; strings live as long as the fetch. */

/* A code such as "timeout"; NULL: none. */
const char *curlew_fetch_error(const struct curlew_fetch *f);

/* The same in a sentence. */
const char *curlew_fetch_detail(const struct curlew_fetch *f);

int curlew_fetch_status(const struct curlew_fetch *f);

/* First; or NULL. */
const char *curlew_fetch_header(const struct curlew_fetch *f, const char *name);

const void *curlew_fetch_body(const struct curlew_fetch *f, size_t *size);

/* 1: over a connection that was warm. */
int curlew_fetch_reused(const struct curlew_fetch *f);

double curlew_fetch_seconds(const struct curlew_fetch *f);

#ifdef __cplusplus
}
#endif
#endif
