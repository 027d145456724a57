/* circuit_breaker.c - an origin that keeps failing gets no requests for a while. */

#include "limits/circuit_breaker.h"

#include "util/clock.h"

static enum circuit_breaker_outcome
judge_status(int status)
{
    return status == 0 ? OUTCOME_IGNORED : status >= 500 ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
}

enum circuit_breaker_outcome
circuit_breaker_classify(const struct failure *f, int status)
{
    switch (f->error) {
    case ERROR_DNS_FAILED:
    case ERROR_CONNECT_FAILED:
    case ERROR_TLS_FAILED:
    case ERROR_PROXY_FAILED:
    case ERROR_PROTOCOL_ERROR:
    case ERROR_INCOMPLETE_BODY:
    case ERROR_SEND_FAILED:
    case ERROR_RECV_FAILED:
    case ERROR_CONNECT_TIMEOUT:
    case ERROR_IDLE_TIMEOUT:
        return OUTCOME_FAILURE;
    case ERROR_TIMEOUT: /* after the head it may be a long body or a slow reader */
        return status == 0 ? OUTCOME_FAILURE : judge_status(status);
    default:
        return judge_status(status);
    }
}

static void
open_for(struct circuit_breaker *b, const struct circuit_breaker_config *s, int64_t now_us)
{
    int64_t time = (int64_t)(s->open_seconds * US_PER_SECOND);

    b->state = CIRCUIT_OPEN;
    b->probing = false;
    b->next_us = now_us + time;
    b->idle_us = b->next_us + time;
}

static void
close_again(struct circuit_breaker *b)
{
    *b = (struct circuit_breaker){ .state = CIRCUIT_CLOSED };
}

void
circuit_breaker_tick(struct circuit_breaker *b, int64_t now_us)
{
    if (b->state == CIRCUIT_OPEN && now_us >= b->next_us)
        b->state = CIRCUIT_HALF_OPEN;
}

bool
circuit_breaker_try_pass(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                         int64_t now_us, bool *probe)
{
    *probe = false;
    if (s->failures == 0) {
        *b = (struct circuit_breaker){ .state = CIRCUIT_OFF };
        return true;
    }
    circuit_breaker_tick(b, now_us);
    if (b->state == CIRCUIT_OFF)
        close_again(b);
    if (b->state == CIRCUIT_CLOSED)
        return true;
    if (b->state == CIRCUIT_OPEN || (b->probing && now_us < b->next_us))
        return false;
    *probe = b->probing = true;
    b->next_us = now_us + (int64_t)(s->open_seconds * US_PER_SECOND);
    b->idle_us = b->next_us;
    return true;
}

/* For a closed breaker.  true: it has opened. */
static bool
count_outcome(struct circuit_breaker *b, const struct circuit_breaker_config *s,
              enum circuit_breaker_outcome outcome, int64_t now_us)
{
    if (outcome == OUTCOME_SUCCESS)
        b->failures = 0;
    if (outcome != OUTCOME_FAILURE)
        return false;
    b->idle_us = now_us + (int64_t)(s->open_seconds * US_PER_SECOND);
    if (++b->failures < s->failures)
        return false;
    open_for(b, s, now_us);
    return true;
}

bool
circuit_breaker_record(struct circuit_breaker *b, const struct circuit_breaker_config *s,
                       enum circuit_breaker_outcome outcome, bool probe, int64_t now_us)
{
    if (s->failures == 0)
        return false;
    if (b->state == CIRCUIT_CLOSED)
        return count_outcome(b, s, outcome, now_us);
    if (b->state != CIRCUIT_HALF_OPEN || !probe)
        return false;
    if (outcome == OUTCOME_FAILURE) {
        open_for(b, s, now_us);
        return true;
    }
    b->probing = false;
    if (outcome == OUTCOME_SUCCESS)
        close_again(b);
    return false;
}

int
circuit_breaker_retry_after(const struct circuit_breaker *b, int64_t now_us)
{
    int64_t left = b->next_us - now_us;

    return left <= US_PER_SECOND ? 1 : (int)((left + US_PER_SECOND - 1) / US_PER_SECOND);
}

bool
circuit_breaker_is_idle(const struct circuit_breaker *b, int64_t now_us)
{
    return now_us >= b->idle_us;
}
