/* route_batch.c - POST …/v1/batch: many fetches, and a line for each as it ends. */

#include "routes/route_batch.h"

#include "engine/engine.h"
#include "message/envelope.h"
#include "routes/access_log.h"
#include "routes/batch_window.h"
#include "routes/fetch_response.h"
#include "routes/submit.h"

#define WAITING_BYTES (1024 * 1024) /* of bodies that wait for the caller to read them */

/* -- fetches ------------------------------------------------------------- */

/* No memory: what is left is not sent, and the response must not look complete. */
static void
give_up(struct exchange *x)
{
    x->broken = true;
    batch_window_cancel(x->route_data);
}

/* One is started in any case, or a long turn of others would stop the batch. */
static void
start_fetches(struct exchange *x)
{
    struct batch_window *window = x->route_data;
    bool first = true;
    struct curlew_fetch *f;

    for (; batch_window_has_room(window); first = false) {
        x->wants_turn = !first && !loop_has_time(&x->worker->loop);
        if (x->wants_turn)
            return;
        if ((f = fetch_new()) == NULL) {
            give_up(x);
            return;
        }
        batch_window_start(window, f);
        if (f->failure.error == ERROR_NONE && submit_prepared(x, f) == 0)
            continue;
        access_log_write(x, f, &f->failure);
        batch_window_on_fetch_done(window, f);
    }
}

static void
on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    batch_window_on_fetch_done(x->route_data, f);
}

/* -- lines --------------------------------------------------------------- */

static int
write_failure(struct exchange *x, const struct failure *err)
{
    const struct curlew_fetch *f = x->fetch;

    if (envelope_write_failure(&x->prefix, &f->request, err, &f->response, f->index, x->frames) !=
        0)
        return -1;
    buffer_addc(&x->prefix, '\n');
    if (x->frames)
        buffer_addc(&x->prefix, '\n'); /* the end of an empty body */
    return buffer_ok(&x->prefix) ? 0 : -1;
}

/* A result that there is no room for becomes a failure. */
static int
write_result(struct exchange *x)
{
    struct failure err = x->fetch->failure;

    if (err.error == ERROR_NONE && fetch_response_write(x, &err) == 0) {
        if (!x->frames)
            buffer_addc(&x->prefix, '\n');
        if (buffer_ok(&x->prefix))
            return 0;
    }
    failure_no_memory(&err);
    exchange_clear_piece(x);
    return write_failure(x, &err);
}

static bool
next_chunk(struct exchange *x)
{
    exchange_clear_piece(x);
    fetch_unref(x->fetch);
    x->wants_turn = false;
    start_fetches(x);
    while ((x->fetch = batch_window_take(x->route_data)) != NULL) {
        if (!x->broken && write_result(x) == 0)
            return true;
        give_up(x);
        fetch_unref(x->fetch);
    }
    x->partial = !batch_window_is_done(x->route_data);
    return false;
}

static void
cancel(struct exchange *x)
{
    batch_window_cancel(x->route_data);
}

static void
free_route_data(struct exchange *x)
{
    batch_window_free(x->route_data);
}

static const struct exchange_ops ops = {
    .on_fetch_done = on_fetch_done,
    .next_chunk = next_chunk,
    .log_fetch = access_log_fetch_done,
    .cancel = cancel,
    .free_route_data = free_route_data,
};

/* -- the request --------------------------------------------------------- */

/* A quarter of what all bodies may take: the rest is for those that are still coming. */
static size_t
waiting_bytes(const struct exchange *x)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    int64_t share = config->limits.buffered_bytes / 4;

    config_snapshot_unref(config);
    if (share < 1)
        return 1;
    return share < WAITING_BYTES ? (size_t)share : WAITING_BYTES;
}

static int
open_window(struct exchange *x, struct failure *err)
{
    struct batch_window *window = batch_window_new(x->route_data, waiting_bytes(x));

    x->route_data = window; /* which has taken the batch */
    x->ops = &ops;
    return window != NULL ? 0 : failure_no_memory(err);
}

static void
free_batch(struct exchange *x)
{
    batch_free(x->route_data);
}

static void
read_batch(struct exchange *x)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);

    x->route_data =
        batch_from_text(x->body.data, x->body.len, &config->limits.request, &x->failure);
    config_snapshot_unref(config);
}

/* Any batch that can be parsed is a 200. */
static void
begin_response(struct exchange *x)
{
    if (x->failure.error != ERROR_NONE || open_window(x, &x->failure) != 0) {
        exchange_fail(x, &x->failure);
        return;
    }
    fetch_response_begin(x, x->frames ? FETCH_RESPONSE_FRAMES : "application/x-ndjson");
    x->answered = true;
    x->partial = exchange_check_response(x) == 0;
}

static void
refuse_empty(struct exchange *x)
{
    struct failure err = { 0 };

    failure_set(&err, ERROR_BAD_REQUEST, "the body is empty: a batch object is needed");
    exchange_fail(x, &err);
}

void
route_batch_on_request(struct exchange *x)
{
    static const struct exchange_ops reading = { .free_route_data = free_batch };
    struct failure err = { 0 };

    fetch_response_choose_format(x);
    x->ops = &reading;
    if (exchange_check_room(x, &err) != 0)
        exchange_fail(x, &err);
    else if (x->body.len == 0)
        refuse_empty(x);
    else if (exchange_read(x, read_batch, begin_response, &err) != 0)
        exchange_fail(x, &err);
}
