/*
 * retries.h - what a request says about being tried again: how often, after what, and when.
 */
#ifndef SESSION_RETRIES_H
#define SESSION_RETRIES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define RETRIES_STATUS_MIN 400
#define RETRIES_STATUS_MAX 599

struct retries {
    int max;            /* after the first try; 0: none */
    int64_t backoff_ms; /* the first wait is at most so long, the next at most twice as long, … */
    int64_t max_backoff_ms; /* and none longer than that */
    uint64_t statuses[4];   /* bits from RETRIES_STATUS_MIN on */
    char *methods; /* owned, " GET PUT "; NULL: the idempotent ones (RFC 9110 section 9.2.2) */
    bool respect_retry_after;
};

void retries_init(struct retries *r); /* the defaults of docs/citizen.md: none */
void retries_destroy(struct retries *r);
bool retries_equal(const struct retries *a, const struct retries *b);

void retries_clear_statuses(struct retries *r);
void retries_add_status(struct retries *r, int status); /* from MIN to MAX */
bool retries_has_status(const struct retries *r, int status);

void retries_clear_methods(struct retries *r);
int retries_add_method(struct retries *r, const char *method); /* a token; -1: no memory */
bool retries_has_method(const struct retries *r, const char *method);

/* What a Retry-After field asks for, in microseconds from `now`; -1: it makes no sense. */
int64_t retries_read_after(const char *value, time_t now);

/*
 * How long to wait before the n-th retry, from 0: what Retry-After asked for (0: nothing), and then
 * any time up to backoff * 2^n and max_backoff, as `random` decides.  -1: it asked for more than
 * max_backoff.
 */
int64_t retries_wait_us(const struct retries *r, int n, int64_t after_us, uint64_t random);

#endif
