/* pause.c - a running fetch that does not read for a while. */

#include "engine/pause.h"

#include "engine/fetch_flow.h"
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
     * May deliver at once; f itself stays until engine_worker_reap().  What a callback refuses
     * then, libcurl tells here and nowhere else: the transfer would sit there until its time-out.
     */
    if (curl_easy_pause(f->easy, CURLPAUSE_CONT) != CURLE_OK) {
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

void
pause_nudge(struct engine_worker *m, uint64_t conn_id)
{
    for (struct link *l = m->running.next; l != &m->running && conn_id != 0; l = l->next) {
        struct curlew_fetch *f = container_of(l, struct curlew_fetch, place);

        if (f->conn_id != conn_id || f->paused)
            continue;
        curl_easy_pause(f->easy, CURLPAUSE_RECV);
        curl_easy_pause(f->easy, CURLPAUSE_CONT);
        return;
    }
}
