/* retry.c - whether a failed attempt is followed by another one, and when. */

#include "fetch/retry.h"

#include <strings.h>
#include <time.h>

/* -- the decision ----------------------------------------------------------- */

static bool
has_retryable_status(const struct retry_attempt *a)
{
    return (a->policy->on & RETRY_ON_STATUS) != 0 &&
           retry_policy_has_status(a->policy, a->head->status);
}

static bool
is_retryable(const struct retry_attempt *a)
{
    if (a->attempts > a->policy->max || !retry_policy_has_method(a->policy, a->method))
        return false;
    if (a->failure->error == ERROR_NONE)
        return has_retryable_status(a);
    if ((retry_policy_kind(a->failure) & a->policy->on) != 0)
        return true;
    /* In a body that nobody wants, and of which a stream's retry does not wait for the end. */
    return (a->failure->error == ERROR_PROTOCOL_ERROR ||
            a->failure->error == ERROR_RESPONSE_TOO_LARGE) &&
           has_retryable_status(a);
}

/* What the response's Retry-After asks for, whatever became of its body; 0: nothing. */
static int64_t
retry_after_us(const struct retry_attempt *a)
{
    int64_t after = -1;

    if (!has_retryable_status(a) || !a->policy->respect_retry_after)
        return 0;
    for (size_t i = 0; i < a->head->headers.count && after < 0; i++)
        if (strcasecmp(a->head->headers.items[i].name, "retry-after") == 0)
            after =
                retry_policy_parse_retry_after(a->head->headers.items[i].value,
                                               headers_get(&a->head->headers, "date"), time(NULL));
    return after < 0 ? 0 : after;
}

int64_t
retry_wait_us(const struct retry_attempt *a)
{
    int64_t wait;

    if (!is_retryable(a))
        return -1;
    wait = retry_policy_wait_us(a->policy, a->attempts - 1, retry_after_us(a), a->random);
    return wait >= 0 && wait < a->deadline_us - a->now_us ? wait : -1;
}

/* -- the permit ------------------------------------------------------------- */

/* As many may wait for a retry as may be in flight: each holds its request in memory. */
static bool
try_take_permit(struct curlew_fetch *f, struct retry_budget *budget, int64_t now_us)
{
    struct engine_stats *stats = f->stats;

    if (counter_try_increment(&stats->retries_waiting, f->config->limits.in_flight)) {
        if (retry_budget_try_withdraw(budget, now_us))
            return true;
        counter_add(&stats->retries_waiting, -1);
    }
    counter_add(&stats->retries_refused, 1);
    return false;
}

bool
retry_try_schedule(struct curlew_fetch *f, int64_t at_us, struct retry_budget *budget,
                   int64_t now_us)
{
    if (!try_take_permit(f, budget, now_us))
        return false;
    f->retry.scheduled = true;
    f->retry.at_us = at_us;
    return true;
}

bool
retry_is_scheduled(const struct curlew_fetch *f)
{
    return f->retry.scheduled;
}

void
retry_release(struct curlew_fetch *f)
{
    if (f->retry.scheduled)
        counter_add(&f->stats->retries_waiting, -1);
    f->retry.scheduled = false;
}

void
retry_start_attempt(struct curlew_fetch *f, struct retry_budget *budget, int64_t now_us)
{
    if (!f->retry.scheduled) {
        retry_budget_deposit(budget, now_us);
        return;
    }
    retry_release(f);
    f->response.attempts++;
    counter_add(&f->stats->retries, 1);
}
