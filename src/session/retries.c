/* retries.c - what a request says about being tried again: how often, after what, and when. */

#include "session/retries.h"

#include "util/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MS     200
#define MAX_BACKOFF_MS 10000
#define DOUBLINGS_MAX  40 /* far past every max_backoff, and no overflow */
#define IDEMPOTENT     " GET HEAD OPTIONS TRACE PUT DELETE "

void
retries_init(struct retries *r)
{
    static const int statuses[] = { 429, 502, 503, 504 };

    *r = (struct retries){
        .backoff_ms = BACKOFF_MS,
        .max_backoff_ms = MAX_BACKOFF_MS,
        .respect_retry_after = true,
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        retries_add_status(r, statuses[i]);
}

void
retries_destroy(struct retries *r)
{
    free(r->methods);
    retries_init(r);
}

bool
retries_equal(const struct retries *a, const struct retries *b)
{
    const char *of_a = a->methods != NULL ? a->methods : IDEMPOTENT;
    const char *of_b = b->methods != NULL ? b->methods : IDEMPOTENT;

    return a->max == b->max && a->backoff_ms == b->backoff_ms &&
           a->max_backoff_ms == b->max_backoff_ms &&
           a->respect_retry_after == b->respect_retry_after &&
           memcmp(a->statuses, b->statuses, sizeof a->statuses) == 0 && strcmp(of_a, of_b) == 0;
}

void
retries_clear_methods(struct retries *r)
{
    free(r->methods);
    r->methods = NULL;
}

void
retries_clear_statuses(struct retries *r)
{
    memset(r->statuses, 0, sizeof r->statuses);
}

void
retries_add_status(struct retries *r, int status)
{
    unsigned bit = (unsigned)(status - RETRIES_STATUS_MIN);

    r->statuses[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool
retries_has_status(const struct retries *r, int status)
{
    unsigned bit = (unsigned)(status - RETRIES_STATUS_MIN);

    return status >= RETRIES_STATUS_MIN && status <= RETRIES_STATUS_MAX &&
           (r->statuses[bit / 64] >> bit % 64 & 1) != 0;
}

int
retries_add_method(struct retries *r, const char *method)
{
    char *all;

    if (asprintf(&all, "%s%s ", r->methods != NULL ? r->methods : " ", method) < 0)
        return -1;
    free(r->methods);
    r->methods = all;
    return 0;
}

bool
retries_has_method(const struct retries *r, const char *method)
{
    const char *at = r->methods != NULL ? r->methods : IDEMPOTENT;
    size_t n = strlen(method);

    for (; (at = strstr(at, method)) != NULL; at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

/* -- how long to wait ------------------------------------------------------ */

/* Seconds, or a date (RFC 9110 section 10.2.3). */
int64_t
retries_read_after(const char *value, time_t now)
{
    long long seconds = 0;
    char *end;
    time_t at;

    if (*value >= '0' && *value <= '9') {
        seconds = strtoll(value, &end, 10);
        if (*end != '\0')
            return -1;
    } else if ((*value | 0x20) >= 'a' && (*value | 0x20) <= 'z' &&
               (at = curl_getdate(value, NULL)) != -1) {
        seconds = at > now ? at - now : 0;
    } else {
        return -1;
    }
    return seconds > INT64_MAX / US_PER_SECOND ? INT64_MAX : seconds * US_PER_SECOND;
}

int64_t
retries_wait_us(const struct retries *r, int n, int64_t after_us, uint64_t random)
{
    int64_t most = r->max_backoff_ms * US_PER_MS, bound = r->backoff_ms * US_PER_MS;

    if (after_us > most)
        return -1;
    for (int i = 0; i < n && i < DOUBLINGS_MAX && bound < most; i++)
        bound *= 2;
    bound = bound < most ? bound : most;
    return after_us + (int64_t)(random % (uint64_t)(bound + 1));
}
