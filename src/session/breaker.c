/* breaker.c - an origin that keeps failing is left alone for a while. */

#include "session/breaker.h"

#include "util/clock.h"

static enum breaker_outcome
judge_status(int status)
{
    return status == 0 ? OUTCOME_NEITHER : status >= 500 ? OUTCOME_FAILED : OUTCOME_WORKED;
}

enum breaker_outcome
breaker_judge(const struct failure *f, int status)
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
        return OUTCOME_FAILED;
    case ERROR_TIMEOUT: /* with a head it is the body that was long, or its reader slow */
        return status == 0 ? OUTCOME_FAILED : judge_status(status);
    default:
        return judge_status(status);
    }
}

static void
open_for(struct breaker *b, const struct breaker_settings *s, int64_t now_us)
{
    int64_t time = (int64_t)(s->open_seconds * US_PER_SECOND);

    b->state = BREAKER_OPEN;
    b->probing = false;
    b->next_us = now_us + time;
    b->idle_us = b->next_us + time;
}

static void
close_again(struct breaker *b)
{
    *b = (struct breaker){ .state = BREAKER_CLOSED };
}

void
breaker_tick(struct breaker *b, int64_t now_us)
{
    if (b->state == BREAKER_OPEN && now_us >= b->next_us)
        b->state = BREAKER_HALF_OPEN;
}

bool
breaker_admits(struct breaker *b, const struct breaker_settings *s, int64_t now_us, bool *probe)
{
    *probe = false;
    if (s->failures == 0) {
        *b = (struct breaker){ .state = BREAKER_OFF };
        return true;
    }
    breaker_tick(b, now_us);
    if (b->state == BREAKER_OFF)
        close_again(b);
    if (b->state == BREAKER_CLOSED)
        return true;
    if (b->state == BREAKER_OPEN || (b->probing && now_us < b->next_us))
        return false;
    *probe = b->probing = true;
    b->next_us = now_us + (int64_t)(s->open_seconds * US_PER_SECOND);
    b->idle_us = b->next_us;
    return true;
}

/* Of a breaker that is closed. */
static bool
count(struct breaker *b, const struct breaker_settings *s, enum breaker_outcome outcome,
      int64_t now_us)
{
    if (outcome == OUTCOME_WORKED)
        b->failures = 0;
    if (outcome != OUTCOME_FAILED)
        return false;
    b->idle_us = now_us + (int64_t)(s->open_seconds * US_PER_SECOND);
    if (++b->failures < s->failures)
        return false;
    open_for(b, s, now_us);
    return true;
}

bool
breaker_note(struct breaker *b, const struct breaker_settings *s, enum breaker_outcome outcome,
             bool probe, int64_t now_us)
{
    if (s->failures == 0)
        return false;
    if (b->state == BREAKER_CLOSED)
        return count(b, s, outcome, now_us);
    if (b->state != BREAKER_HALF_OPEN || !probe)
        return false;
    if (outcome == OUTCOME_FAILED) {
        open_for(b, s, now_us);
        return true;
    }
    b->probing = false;
    if (outcome == OUTCOME_WORKED)
        close_again(b);
    return false;
}

int
breaker_retry_after(const struct breaker *b, int64_t now_us)
{
    int64_t left = b->next_us - now_us;

    return left <= US_PER_SECOND ? 1 : (int)((left + US_PER_SECOND - 1) / US_PER_SECOND);
}

bool
breaker_is_idle(const struct breaker *b, int64_t now_us)
{
    return now_us >= b->idle_us;
}
