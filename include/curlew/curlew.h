/*
 * curlew.h - one shared, long-lived, asynchronous curl session.
 *
 * An engine owns one or more threads, which make all transfers. A program fills
 * a fetch, submits it to the engine, and gets it back through a callback.
 *
 * Ownership: a fetch belongs to its caller, except from the moment curlew_submit()
 * returns 0 until the done callback is entered. Meanwhile it belongs to the engine:
 * no function but curlew_cancel() may be called with it. Every fetch is freed by its
 * caller, once; before or after the engine makes no difference.
 *
 * Threads: every function may be called from any thread. One fetch must not be used by
 * two threads at once, except for curlew_cancel(). Callbacks run on the engine's
 * threads: they must not block, nor free the engine.
 *
 * Egress guard (protection against SSRF): only public addresses can be fetched
 * from, unless `allow` of the options permits more.
 *
 * Times are in milliseconds or seconds, as the names say; sizes are in bytes. Strings end in a
 * zero byte.
 */
#ifndef CURLEW_CURLEW_H
#define CURLEW_CURLEW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CURLEW_VERSION "0.1.0"

/* The compiler warns where the result of such a function is ignored. */
#ifdef __GNUC__
#define CURLEW_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define CURLEW_CHECK_RESULT
#endif

struct curlew;       /* the engine: threads, connection pools, cookies */
struct curlew_fetch; /* one request, and later its response or its error */

/*
 * The end of a fetch: called once for each that curlew_submit() has taken, on a thread of the
 * engine. `f` belongs to the caller again: the callback may read it, free it, or submit it or
 * another fetch. `arg` is what curlew_submit() was given.
 */
typedef void curlew_done(struct curlew_fetch *f, void *arg);

enum curlew_log_level { CURLEW_LOG_ERROR, CURLEW_LOG_WARNING, CURLEW_LOG_INFO, CURLEW_LOG_DEBUG };

/*
 * One log message: `line` has no line break and is valid during the call only; `level` is an
 * enum curlew_log_level. Called from the engine's threads and from inside curlew_submit(), by
 * several threads at once; it must not call the library. `arg` is log_arg of the options.
 */
typedef void curlew_log(void *arg, int level, const char *line);

struct curlew_options {
    int threads;            /* 1 to 64; all fetches of one origin run on the same one */
    int max_in_flight;      /* transfers at once, at least 1; further fetches wait */
    int max_queue;          /* fetches that may wait, 0 or more; past it: "overloaded" */
    int max_per_origin;     /* transfers at once to one scheme, host and port, at least 1 */
    int64_t max_body_bytes; /* of a decoded response body; past it: "response_too_large" */

    /*
     * What the egress guard allows beside public addresses: CIDRs ("10.0.0.0/8"), addresses, host
     * names, "*.suffix". Ends in NULL; NULL: nothing more. Copied.
     */
    const char *const *allow;

    /* 1: the egress guard refuses nothing, and logs what it would have refused. 0: it refuses. */
    int report_only;

    /* Receives the log; NULL: the engine is silent. It never writes to stdout or stderr. */
    curlew_log *log;
    void *log_arg;
};

/* Fill *o with the defaults: 1 thread, 2048 in flight, 2048 queued, 1024 an origin, 64 MiB. */
void curlew_options_init(struct curlew_options *o);

/*
 * Start an engine. `o` is copied; start from curlew_options_init(). NULL on failure (an option out
 * of its range, a rule of `allow` that cannot be parsed, no memory, no thread); then `err`, of
 * `size` bytes, holds a sentence, cut to fit; `err` may be NULL.
 */
struct curlew *curlew_new(const struct curlew_options *o, char *err,
                          size_t size) CURLEW_CHECK_RESULT;

/* From now on curlew_submit() refuses every fetch as "draining"; those in flight go on. */
void curlew_drain(struct curlew *c);

/*
 * Cancel what is in flight, wait until the callback of each such fetch has returned, then free the
 * engine. NULL is allowed. No other thread may be inside a call with `c`.
 */
void curlew_free(struct curlew *c);

/*
 * A GET of an absolute http or https URL, which is copied and checked when the fetch is submitted.
 * NULL: no memory.
 */
struct curlew_fetch *curlew_fetch_new(const char *url) CURLEW_CHECK_RESULT;

/*
 * The setters copy what they are given. They return 0, or -1 if it cannot be sent (a method that is
 * no token, a line break in a header) or memory ran out; then curlew_fetch_error() and
 * curlew_fetch_detail() tell the cause.
 */

int curlew_fetch_set_method(struct curlew_fetch *f, const char *method) CURLEW_CHECK_RESULT;

/* Adds one more, even if there is one of this name already. */
int curlew_fetch_add_header(struct curlew_fetch *f, const char *name,
                            const char *value) CURLEW_CHECK_RESULT;

/*
 * A body of `size` bytes in place of any earlier one; without a method set, the fetch becomes a
 * POST. `type` replaces the Content-Type header; NULL leaves it. `body` may be NULL if `size` is 0.
 */
int curlew_fetch_set_body(struct curlew_fetch *f, const void *body, size_t size,
                          const char *type) CURLEW_CHECK_RESULT;

/* From curlew_submit() to the end, time in the queue and redirects included; 0: no limit. */
void curlew_fetch_set_timeout(struct curlew_fetch *f, int64_t total_ms);

/* Not while the fetch belongs to the engine. NULL is allowed. */
void curlew_fetch_free(struct curlew_fetch *f);

/*
 * 0: the engine has taken the fetch, and `done`, which must not be NULL, will be called with `arg`.
 * -1: refused (the URL, the egress guard, "draining"); the fetch stays the caller's, `done` is not
 * called, and curlew_fetch_error() tells the cause. A fetch may be submitted again after either
 * end, to the same or another engine; one that was cancelled is cancelled again.
 */
int curlew_submit(struct curlew *c, struct curlew_fetch *f, curlew_done *done,
                  void *arg) CURLEW_CHECK_RESULT;

/*
 * End the fetch soon, as "cancelled"; the done callback is called all the same. From any thread, as
 * long as the fetch is not freed. The result of a fetch that has ended stays as it is.
 */
void curlew_cancel(struct curlew_fetch *f);

/*
 * The result, to be read from the done callback on. Pointers are valid until the fetch is
 * submitted again or freed.
 */

/* NULL: success, whatever the status; or an error code such as "timeout", static. */
const char *curlew_fetch_error(const struct curlew_fetch *f);

/* The error in a sentence; "" on success. */
const char *curlew_fetch_detail(const struct curlew_fetch *f);

/* The HTTP status, 100 to 999; 0 if no response came. */
int curlew_fetch_status(const struct curlew_fetch *f);

/* The value of the first header of this name, in any case; NULL: there is none. */
const char *curlew_fetch_header(const struct curlew_fetch *f, const char *name);

/* The decoded body, *size bytes; never NULL, and not always a string. After an error: empty. */
const void *curlew_fetch_body(const struct curlew_fetch *f, size_t *size);

/* 1: the last request went out on a connection that an earlier one had opened; else 0. */
int curlew_fetch_reused(const struct curlew_fetch *f);

/* Seconds from curlew_submit() to the end, time in the queue included. */
double curlew_fetch_seconds(const struct curlew_fetch *f);

#ifdef __cplusplus
}
#endif
#endif
