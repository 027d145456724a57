/* deadline.c - how long a fetch may take: its total and its idle timeout. */

#include "fetch/deadline.h"

#include "util/clock.h"

int64_t
deadline_of_total(const struct curlew_fetch *f)
{
    int64_t total = f->request.total_timeout_ms;

    return total > 0 ? f->submitted_us + total * US_PER_MS : INT64_MAX;
}

static int64_t
end_of_idle(const struct curlew_fetch *f)
{
    int64_t idle = f->request.idle_timeout_ms;

    if (idle == 0 || f->state != FETCH_RUNNING || f->paused)
        return INT64_MAX;
    return f->active_us + idle * US_PER_MS;
}

int64_t
deadline_of(const struct curlew_fetch *f)
{
    int64_t total = deadline_of_total(f), idle = end_of_idle(f);

    return idle < total ? idle : total;
}

/* libcurl tells of bytes that come, not of those that go out: they are seen only here. */
static void
record_sent(struct curlew_fetch *f, int64_t sent, int64_t now_us)
{
    if (sent <= f->sent)
        return;
    f->sent = sent;
    f->active_us = now_us;
}

int
deadline_check(struct curlew_fetch *f, int64_t sent)
{
    int64_t now = clock_us();

    if (now >= deadline_of_total(f))
        return failure_set(&f->failure, ERROR_TIMEOUT, "not done after %g s%s",
                           (double)f->request.total_timeout_ms / 1000,
                           f->state == FETCH_QUEUED ? ", still in the queue" : "");
    if (now < end_of_idle(f)) /* bytes have come */
        return 0;
    record_sent(f, sent, now);
    if (now < end_of_idle(f))
        return 0;
    return failure_set(&f->failure, ERROR_IDLE_TIMEOUT, "no bytes for %g s",
                       (double)f->request.idle_timeout_ms / 1000);
}
