/* resend.c - whether a request that was written may be written once more, without `retries`. */

#include "fetch/resend.h"

#include <string.h>

#define WRITINGS_MAX 2

bool
resend_is_safe(const char *method)
{
    static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "TRACE" };

    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++)
        if (strcmp(method, safe[i]) == 0)
            return true;
    return false;
}

enum resend_reason
resend_decide(const struct unanswered *u)
{
    if (u->writings >= WRITINGS_MAX)
        return RESEND_FORBIDDEN;
    if (u->refused || !u->wrote_bytes)
        return RESEND_NOT_PROCESSED;
    return resend_is_safe(u->method) ? RESEND_SAFE_METHOD : RESEND_FORBIDDEN;
}

bool
resend_error_says_unsent(enum error e)
{
    switch (e) {
    case ERROR_BLOCKED:
    case ERROR_DNS_FAILED:
    case ERROR_CONNECT_FAILED:
    case ERROR_CONNECT_TIMEOUT:
    case ERROR_PROXY_FAILED:
    case ERROR_TLS_FAILED:
    case ERROR_OVERLOADED:
        return true;
    default:
        return false;
    }
}

const char *
resend_reason_name(enum resend_reason reason)
{
    static const char *const names[RESEND_REASONS] = {
        [RESEND_FORBIDDEN] = "forbidden",
        [RESEND_NOT_PROCESSED] = "not_processed",
        [RESEND_SAFE_METHOD] = "safe_method",
    };

    return names[reason];
}
