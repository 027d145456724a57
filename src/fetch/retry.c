/* retry.c - whether a failed try is followed by another one, and when. */

#include "fetch/retry.h"

#include "engine/engine.h"
#include "engine/engine_worker.h"
#include "fetch/body_pipe.h"
#include "scheduler/origin_queue.h"
#include "transfer/response_reader.h"
#include "util/clock.h"

#include <curl/curl.h>
#include <strings.h>

/* -- what may pass --------------------------------------------------------- */

bool
retry_may_pass(const struct failure *f)
{
    switch (f->error) {
    case ERROR_DNS_FAILED:
    case ERROR_CONNECT_FAILED:
    case ERROR_PROXY_FAILED:
    case ERROR_CONNECT_TIMEOUT:
    case ERROR_IDLE_TIMEOUT:
    case ERROR_SEND_FAILED:
    case ERROR_RECV_FAILED:
    case ERROR_INCOMPLETE_BODY:
        return true;
    case ERROR_TLS_FAILED: /* the handshake was cut; a bad certificate has another code */
        return f->curl_code == CURLE_SSL_CONNECT_ERROR;
    case ERROR_PROTOCOL_ERROR: /* what a cut connection is called in HTTP/2 and HTTP/3 */
        return f->curl_code == CURLE_HTTP2 || f->curl_code == CURLE_HTTP2_STREAM ||
               f->curl_code == CURLE_HTTP3;
    default:
        return false;
    }
}

/* -- how long to wait ------------------------------------------------------ */

/* splitmix64: what matters is only that fetches do not all come back at once. */
static uint64_t
next_random(struct engine_worker *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t
asked_for(const struct curlew_fetch *f)
{
    const struct headers *h = &f->response.head.headers;
    int64_t after = -1;

    if (f->failure.error != ERROR_NONE || !f->request.retries.respect_retry_after)
        return 0;
    for (size_t i = 0; i < h->count && after < 0; i++)
        if (strcasecmp(h->items[i].name, "retry-after") == 0)
            after = retry_policy_parse_retry_after(h->items[i].value, time(NULL));
    return after < 0 ? 0 : after;
}

/* When its time is over; of a shared transfer, the time of the most patient of its guests. */
static int64_t
end_of(struct curlew_fetch *f)
{
    int64_t total = f->request.total_timeout_ms, latest = 0;

    if (!f->flight.is_leader)
        return total > 0 ? f->submitted_us + total * US_PER_MS : INT64_MAX;
    for (struct link *l = f->flight.followers.next; l != &f->flight.followers; l = l->next) {
        int64_t at = end_of(container_of(l, struct curlew_fetch, flight.link));

        latest = at > latest ? at : latest;
    }
    return latest;
}

/* From now; -1: it would be too late, or is not wanted so early. */
static int64_t
wait_of(struct curlew_fetch *f, int64_t now_us)
{
    int64_t wait = retry_policy_wait_us(&f->request.retries, f->response.attempts - 1, asked_for(f),
                                        next_random(f->home));

    return wait >= 0 && wait < end_of(f) - now_us ? wait : -1;
}

/* -- leave ------------------------------------------------------------------ */

static bool
is_worth_it(const struct curlew_fetch *f)
{
    const struct retry_policy *r = &f->request.retries;

    if (f->response.attempts > r->max || !retry_policy_has_method(r, f->method) || f->cancelled)
        return false;
    if (f->pipe != NULL && body_pipe_has_head(f->pipe))
        return false;
    if (f->failure.error != ERROR_NONE)
        return retry_may_pass(&f->failure);
    return retry_policy_has_status(r, f->response.head.status);
}

/* As many may wait for another try as may be in flight: what waits holds its request in memory. */
static bool
take_leave(struct curlew_fetch *f, int64_t now_us)
{
    struct engine_stats *s = f->stats;

    if (counter_try_increment(&s->retries_waiting, f->config->limits.in_flight)) {
        if (retry_budget_try_withdraw(&f->ticket.queue->origin->budget, now_us))
            return true;
        counter_add(&s->retries_waiting, -1);
    }
    counter_add(&s->retries_refused, 1);
    return false;
}

bool
retry_grant(struct curlew_fetch *f)
{
    int64_t now = clock_us(), wait;

    if (f->again) /* granted when its head had come: but for who has no more time or interest */
        return f->failure.error != ERROR_TIMEOUT && f->failure.error != ERROR_CANCELLED;
    if (!is_worth_it(f) || origin_queue_is_rejecting(f->ticket.queue) || (wait = wait_of(f, now)) < 0)
        return false;
    if (!take_leave(f, now))
        return false;
    f->again = true;
    f->again_us = now + wait;
    return true;
}

int
retry_renew(struct curlew_fetch *f)
{
    bool change = fetch_proxy_failed(f);

    response_reader_reset(f);
    f->fresh = f->failure.error != ERROR_NONE;
    f->failure = (struct failure){ 0 };
    return change ? engine_change_proxy(f) : 0;
}

void
retry_forgo(struct curlew_fetch *f)
{
    if (f->again)
        counter_add(&f->stats->retries_waiting, -1);
    f->again = false;
}

void
retry_count(struct curlew_fetch *f, int64_t now_us)
{
    if (!f->again) {
        retry_budget_deposit(&f->ticket.queue->origin->budget, now_us);
        return;
    }
    retry_forgo(f);
    f->response.attempts++;
    counter_add(&f->stats->retries, 1);
}
