/* pause.c - a running fetch that does not read for a while. */

#include "engine/pause.h"

#include "engine/fetch_flow.h"
#include "transfer/transfer.h"
#include "util/clock.h"

void
pause_begin(struct curlew_fetch *f, int64_t until_us)
{
    struct engine_worker *m = f->home;

    f->paused = true;
    if (until_us != PAUSE_UNTIL_RESUMED)
        timer_set(&m->loop.timers, &f->pace, until_us);
}

static void
go_on(struct engine_worker *m, struct curlew_fetch *f)
{
    f->paused = false;
    f->active_us = clock_us();
    fetch_flow_arm_timer(m, f);
    /*
     * May call the callbacks at once; f itself stays until engine_worker_reap().  Where one
     * refuses, the transfer would otherwise stay until its timeout.
     */
    if (transfer_resume(f) != 0) {
        failure_set(&f->failure, ERROR_INTERNAL, "the transfer could not be resumed");
        fetch_flow_fail(m, f);
        return;
    }
    engine_worker_reap(m);
}

void
pause_is_over(struct timer *t)
{
    struct curlew_fetch *f = container_of(t, struct curlew_fetch, pace);

    go_on(f->home, f);
}

void
pause_resume(struct engine_worker *m, struct curlew_fetch *f)
{
    if (f->home == m && f->state == FETCH_RUNNING && f->paused && f->pace.place == 0)
        go_on(m, f);
    fetch_unref(f);
}
