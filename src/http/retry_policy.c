/* retry_policy.c - a request's retries: how many, after which failures, and how long to wait. */

#include "http/retry_policy.h"

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
retry_policy_init(struct retry_policy *r)
{
    static const int statuses[] = { 429, 502, 503, 504 };

    *r = (struct retry_policy){
        .backoff_ms = BACKOFF_MS,
        .max_backoff_ms = MAX_BACKOFF_MS,
        .on = RETRY_ON_ALL,
        .respect_retry_after = true,
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        retry_policy_add_status(r, statuses[i]);
}

void
retry_policy_destroy(struct retry_policy *r)
{
    free(r->methods);
    retry_policy_init(r);
}

bool
retry_policy_same_methods(const struct retry_policy *a, const struct retry_policy *b)
{
    const char *of_a = a->methods != NULL ? a->methods : IDEMPOTENT;
    const char *of_b = b->methods != NULL ? b->methods : IDEMPOTENT;

    return strcmp(of_a, of_b) == 0;
}

void
retry_policy_clear_methods(struct retry_policy *r)
{
    free(r->methods);
    r->methods = NULL;
}

void
retry_policy_clear_statuses(struct retry_policy *r)
{
    memset(r->statuses, 0, sizeof r->statuses);
}

void
retry_policy_add_status(struct retry_policy *r, int status)
{
    unsigned bit = (unsigned)(status - RETRY_POLICY_STATUS_MIN);

    r->statuses[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool
retry_policy_has_status(const struct retry_policy *r, int status)
{
    unsigned bit = (unsigned)(status - RETRY_POLICY_STATUS_MIN);

    return status >= RETRY_POLICY_STATUS_MIN && status <= RETRY_POLICY_STATUS_MAX &&
           (r->statuses[bit / 64] >> bit % 64 & 1) != 0;
}

int
retry_policy_add_method(struct retry_policy *r, const char *method)
{
    char *all;

    if (asprintf(&all, "%s%s ", r->methods != NULL ? r->methods : " ", method) < 0)
        return -1;
    free(r->methods);
    r->methods = all;
    return 0;
}

size_t
retry_policy_count_methods(const struct retry_policy *r)
{
    size_t spaces = 0;

    for (const char *at = r->methods; at != NULL && *at != '\0'; at++)
        spaces += *at == ' ';
    return spaces > 0 ? spaces - 1 : 0;
}

bool
retry_policy_has_method(const struct retry_policy *r, const char *method)
{
    const char *at = r->methods != NULL ? r->methods : IDEMPOTENT;
    size_t n = strlen(method);

    for (; (at = strstr(at, method)) != NULL; at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

/* -- how long to wait ------------------------------------------------------ */

/* Seconds since 1970; -1: no date.  curl_getdate() also takes numbers for dates. */
static time_t
parse_date(const char *value)
{
    return (*value | 0x20) >= 'a' && (*value | 0x20) <= 'z' ? curl_getdate(value, NULL) : -1;
}

/* Seconds, or a date (RFC 9110 section 10.2.3). */
int64_t
retry_policy_parse_retry_after(const char *value, const char *date, time_t now)
{
    const time_t sent = date != NULL ? parse_date(date) : -1;
    long long seconds = 0;
    char *end;
    time_t at;

    if (*value >= '0' && *value <= '9') {
        seconds = strtoll(value, &end, 10);
        if (*end != '\0')
            return -1;
    } else if ((at = parse_date(value)) != -1) {
        now = sent != -1 ? sent : now;
        seconds = at > now ? at - now : 0;
    } else {
        return -1;
    }
    return seconds > INT64_MAX / US_PER_SECOND ? INT64_MAX : seconds * US_PER_SECOND;
}

int64_t
retry_policy_wait_us(const struct retry_policy *r, int n, int64_t after_us, uint64_t random)
{
    int64_t most = r->max_backoff_ms * US_PER_MS, bound = r->backoff_ms * US_PER_MS;

    if (after_us > most)
        return -1;
    for (int i = 0; i < n && i < DOUBLINGS_MAX && bound < most; i++)
        bound *= 2;
    bound = bound < most ? bound : most;
    return after_us + (int64_t)(random % (uint64_t)(bound + 1));
}

const char *
retry_policy_word(size_t i)
{
    static const char *const words[] = { "connect", "read", "status" };

    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

/* -- which failures --------------------------------------------------------- */

unsigned
retry_policy_kind(const struct failure *err)
{
    switch (err->error) {
    case ERROR_DNS_FAILED:
    case ERROR_CONNECT_FAILED:
    case ERROR_PROXY_FAILED:
    case ERROR_CONNECT_TIMEOUT:
        return RETRY_ON_CONNECT;
    case ERROR_IDLE_TIMEOUT:
    case ERROR_SEND_FAILED:
    case ERROR_RECV_FAILED:
    case ERROR_INCOMPLETE_BODY:
        return RETRY_ON_READ;
    case ERROR_TLS_FAILED: /* the handshake was cut; a bad certificate has another code */
        return err->curl_code == CURLE_SSL_CONNECT_ERROR || err->curl_code == CURLE_RECV_ERROR ||
                       err->curl_code == CURLE_SEND_ERROR /* in GnuTLS's words */
                   ? RETRY_ON_CONNECT
                   : 0;
    case ERROR_PROTOCOL_ERROR: /* what a cut connection is called in HTTP/2 and HTTP/3 */
        return err->curl_code == CURLE_HTTP2 || err->curl_code == CURLE_HTTP2_STREAM ||
                       err->curl_code == CURLE_HTTP3
                   ? RETRY_ON_READ
                   : 0;
    default:
        return 0;
    }
}
