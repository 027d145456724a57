/*
 * runner.h - engines that may fetch from loopback, and fetches that a test waits for.
 */
#ifndef SUPPORT_RUNNER_H
#define SUPPORT_RUNNER_H

#include "engine/engine.h"

#include <semaphore.h>

/* The daemon's defaults, and 127.0.0.0/8 allowed. */
void runner_settings(struct engine_config *s);
void runner_allow(struct engine_config *s, const char *rule);

/* Starts, or fails the test; the settings are destroyed. */
struct curlew *runner_engine(struct engine_config *s);
struct curlew *runner_default_engine(void);

struct run { /* one fetch in flight */
    struct curlew_fetch *fetch;
    sem_t done;
    atomic_bool over;
    int order; /* how many of the process were done before, once it is over */
};

struct curlew_fetch *runner_fetch(const char *format, ...) __attribute__((format(printf, 1, 2)));

void run_start(struct run *r, struct curlew *c, struct curlew_fetch *f); /* must be taken */
void run_await(struct run *r); /* at most 30 s; then the fetch is the test's */

/* Start and wait; the same fetch. */
struct curlew_fetch *runner_do(struct curlew *c, struct curlew_fetch *f);

/* "ok", or the code of what went wrong. */
const char *runner_code(const struct curlew_fetch *f);

/* Fails the test under AddressSanitizer where memory has leaked. */
void runner_check_leaks(void);

#endif
