/*
 * retry_policy.h - a request's retries: how many, after which failures, and how long to wait.
 */
#ifndef HTTP_RETRY_POLICY_H
#define HTTP_RETRY_POLICY_H

#include "util/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define RETRY_POLICY_STATUS_MIN 400
#define RETRY_POLICY_STATUS_MAX 599

struct retry_policy {
    int max;                /* after the first try; 0: none */
    int64_t backoff_ms;     /* upper bound of the first wait; doubled for each next one */
    int64_t max_backoff_ms; /* upper bound of every wait */
    uint64_t statuses[4];   /* bits from RETRY_POLICY_STATUS_MIN on */
    char *methods; /* owned, " GET PUT "; NULL: the idempotent ones (RFC 9110 section 9.2.2) */
    bool respect_retry_after;
};

/* The defaults of docs/resilience.md: none. */
void retry_policy_init(struct retry_policy *r);

void retry_policy_destroy(struct retry_policy *r);

/* Also where one names the default's methods, in their order, and the other none. */
bool retry_policy_same_methods(const struct retry_policy *a, const struct retry_policy *b);

void retry_policy_clear_statuses(struct retry_policy *r);

/* From MIN to MAX. */
void retry_policy_add_status(struct retry_policy *r, int status);

bool retry_policy_has_status(const struct retry_policy *r, int status);

void retry_policy_clear_methods(struct retry_policy *r);

/* A token; -1: no memory. */
int retry_policy_add_method(struct retry_policy *r, const char *method);

bool retry_policy_has_method(const struct retry_policy *r, const char *method);

/* No connection, or one that was cut; not what would happen again, like a bad certificate. */
bool retry_policy_is_transient(const struct failure *err);

/* A Retry-After field in microseconds from `now`; -1: malformed. */
int64_t retry_policy_parse_retry_after(const char *value, time_t now);

/*
 * How long to wait before the n-th retry, from 0: the time of Retry-After (0: none), plus a random
 * part up to backoff * 2^n and max_backoff (full jitter).  -1: Retry-After is beyond max_backoff.
 */
int64_t retry_policy_wait_us(const struct retry_policy *r, int n, int64_t after_us,
                             uint64_t random);

#endif
