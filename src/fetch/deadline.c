/* deadline.c - how long a fetch may take: its total and its idle timeout. */

#include "fetch/deadline.h"

#include "util/clock.h"

#define LOOKS 4 /* in an idle timeout: how far it may be exceeded */

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

    if (idle == 0 || f->state != FETCH_RUNNING || f->paused || f->connecting)
        return INT64_MAX;
    return f->active_us + idle * US_PER_MS;
}

/* When to look again whether the kernel has sent more of the body, while no answer comes. */
static int64_t
next_look(const struct curlew_fetch *f)
{
    if (!f->sends_body || f->response.head.status != 0 || end_of_idle(f) == INT64_MAX)
        return INT64_MAX;
    return f->looked_us + f->request.idle_timeout_ms * US_PER_MS / LOOKS;
}

int64_t
deadline_of(const struct curlew_fetch *f)
{
    int64_t at = deadline_of_total(f), idle = end_of_idle(f), look = next_look(f);

    at = idle < at ? idle : at;
    return look < at ? look : at;
}

void
deadline_start_idle(struct curlew_fetch *f)
{
    f->connecting = false;
    f->active_us = f->looked_us = clock_us();
}

static bool
waits_for_caller(const struct curlew_fetch *f)
{
    return f->upload != NULL && f->sends_body && upload_pipe_is_starved(f->upload);
}

int
deadline_check(struct curlew_fetch *f, int64_t unsent)
{
    int64_t now = clock_us();

    f->looked_us = now;
    if (unsent != f->unsent)
        f->active_us = now;
    f->unsent = unsent;

    if (now >= deadline_of_total(f))
        return failure_set(&f->failure, ERROR_TIMEOUT, "not done after %g s%s",
                           (double)f->request.total_timeout_ms / 1000,
                           f->state == FETCH_QUEUED ? ", still in the queue" : "");
    if (now < end_of_idle(f)) /* bytes have come, or gone out */
        return 0;
    return failure_set(&f->failure, ERROR_IDLE_TIMEOUT, "no bytes %sfor %g s",
                       waits_for_caller(f) ? "of the request's body came from the caller " : "",
                       (double)f->request.idle_timeout_ms / 1000);
}

bool
deadline_is_callers(const struct curlew_fetch *f)
{
    enum error e = f->failure.error;

    return (e == ERROR_IDLE_TIMEOUT || e == ERROR_TIMEOUT) && waits_for_caller(f);
}
