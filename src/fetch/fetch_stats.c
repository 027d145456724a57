/* fetch_stats.c - a fetch that has ended, in the counters of the engine and of its session. */

#include "fetch/fetch_stats.h"

#include "util/clock.h"

static int
class_of(int status)
{
    return status >= 100 && status < 600 ? status / 100 - 1 : STATUS_CLASSES - 1;
}

void
fetch_stats_record(struct curlew_fetch *f)
{
    struct engine_stats *stats = f->stats;
    struct response *r = &f->response;

    r->timing.total = (double)(clock_us() - f->submitted_us) / US_PER_SECOND;
    counter_add(&f->session->state->outcomes[f->failure.error], 1);
    if (f->failure.error == ERROR_NONE)
        counter_add(&f->session->state->classes[class_of(r->head.status)], 1);
    counter_add(&stats->coalesced, r->coalesced);
    counter_add(&stats->bytes_received, r->coalesced ? 0 : r->body_bytes);
    counter_add(&stats->bytes_sent, r->bytes_sent);
    metrics_observe(&stats->queue_seconds, r->timing.queue);
    metrics_observe(&stats->fetch_seconds, r->timing.total);
    if (r->timing.first_byte > 0)
        metrics_observe(&stats->first_byte_seconds, r->timing.first_byte);
}
