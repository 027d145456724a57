/*
 * retry_policy.h - a request's retries: how many, after which failures, and how long to wait.
 */
#ifndef HTTP_RETRY_POLICY_H
#define HTTP_RETRY_POLICY_H

#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define RETRY_POLICY_STATUS_MIN 400
#define RETRY_POLICY_STATUS_MAX 599

/* Kinds of failure, after which a request may be sent again. */
enum {
    RETRY_ON_CONNECT = 1 << 0, /* nothing was sent: no address, no connection, no TLS */
    RETRY_ON_READ = 1 << 1,    /* the connection broke, or was silent, once it stood */
    RETRY_ON_STATUS = 1 << 2,  /* a response with one of `statuses` */
    RETRY_ON_ALL = RETRY_ON_CONNECT | RETRY_ON_READ | RETRY_ON_STATUS,
};

struct retry_policy {
    int max;                /* after the first try; 0: none */
    int64_t backoff_ms;     /* upper bound of the first wait; doubled for each next one */
    int64_t max_backoff_ms; /* upper bound of every wait */
    uint64_t statuses[4];   /* bits from RETRY_POLICY_STATUS_MIN on */
    char *methods; /* owned, " GET PUT "; NULL: the idempotent ones (RFC 9110 section 9.2.2) */
    unsigned on;   /* RETRY_ON_ bits */
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

/* The word for the i-th bit of `on`, from 0; NULL past the last. */
const char *retry_policy_word(size_t i);

/* How many names its list has; 0: the default list. */
size_t retry_policy_count_methods(const struct retry_policy *r);

bool retry_policy_has_method(const struct retry_policy *r, const char *method);

/*
 * RETRY_ON_CONNECT or RETRY_ON_READ: no connection, or one that was cut.  0: what would happen
 * again, like a bad certificate.
 */
unsigned retry_policy_kind(const struct failure *err);

/*
 * A Retry-After field in microseconds; -1: malformed.  A date counts from the response's Date
 * field, so that only the origin's clock matters; from `now` where `date` is NULL or malformed.
 */
int64_t retry_policy_parse_retry_after(const char *value, const char *date, time_t now);

/*
 * How long to wait before the n-th retry, from 0: the time of Retry-After (0: none), plus a random
 * part up to backoff * 2^n and max_backoff (full jitter).  -1: Retry-After is beyond max_backoff.
 */
int64_t retry_policy_wait_us(const struct retry_policy *r, int n, int64_t after_us,
                             uint64_t random);

#endif
