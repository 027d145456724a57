/* route_batch.c - POST …/v1/batch: many fetches, answered by a line each as it completes. */

#include "engine/engine.h"
#include "fastcgi/fcgi_connection.h"
#include "fastcgi/fcgi_server.h"
#include "message/envelope.h"
#include "routes/access_log.h"
#include "routes/batch_window.h"
#include "routes/fetch_response.h"
#include "routes/routes.h"
#include "routes/submit.h"

#define WAITING_BYTES (1024 * 1024) /* of bodies that wait for the caller to read */

/* -- the request --------------------------------------------------------- */

/* Bodies that wait must leave room, within what all may have, for those that are on their way. */
static size_t
waiting_bytes(const struct exchange *c)
{
    struct config_snapshot *p = engine_snapshot(c->server->engine);
    int64_t share = p->limits.buffered_bytes / 4;

    config_snapshot_unref(p);
    if (share < 1)
        return 1;
    return share < WAITING_BYTES ? (size_t)share : WAITING_BYTES;
}

static int
open_batch(struct exchange *c, struct failure *err)
{
    struct batch *b;

    if (c->server->draining)
        return failure_set(err, ERROR_DRAINING, "the daemon is stopping");
    if (c->body.len == 0)
        return failure_set(err, ERROR_BAD_REQUEST, "the body is empty: a batch object is needed");
    if ((b = batch_from_text(c->body.data, c->body.len, err)) == NULL)
        return -1;
    if ((c->batch = batch_window_new(b, waiting_bytes(c))) == NULL)
        return failure_no_memory(err);
    buffer_free(&c->body);
    return 0;
}

/* Every batch that can be read at all is a 200; nginx is told to pass each line on at once. */
void
route_batch_on_request(struct exchange *c)
{
    struct failure err = { 0 };

    fetch_response_choose_format(c);
    if (open_batch(c, &err) != 0) {
        exchange_fail(c, &err);
        return;
    }
    buffer_printf(&c->head,
                  "Status: 200 OK\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
                  "X-Accel-Buffering: no\r\n\r\n",
                  c->frames ? FETCH_RESPONSE_FRAMES : "application/x-ndjson");
    c->answered = c->partial = true;
}

/* -- fetches ------------------------------------------------------------- */

/* No memory: what is left is not told, and that must show. */
static void
give_up(struct exchange *c)
{
    c->broken = true;
    batch_window_cancel(c->batch);
}

/* A batch that was taken is finished in a drain, too: it is in flight, all of it. */
static void
start_fetches(struct exchange *c)
{
    struct curlew_fetch *f;

    while (batch_window_has_room(c->batch)) {
        if ((f = fetch_new()) == NULL) {
            give_up(c);
            return;
        }
        batch_window_start(c->batch, f);
        if (f->failure.error == ERROR_NONE && submit_prepared(c, f) == 0)
            continue;
        access_log_write(c, f, &f->failure);
        batch_window_on_fetch_done(c->batch, f);
    }
}

void
route_batch_on_fetch_done(struct exchange *c, struct curlew_fetch *f)
{
    batch_window_on_fetch_done(c->batch, f);
}

/* -- lines --------------------------------------------------------------- */

static int
write_failure(struct exchange *c, const struct failure *err)
{
    const struct curlew_fetch *f = c->fetch;

    if (envelope_write_failure(&c->prefix, &f->request, err, f->index, c->frames) != 0)
        return -1;
    buffer_addc(&c->prefix, '\n');
    if (c->frames)
        buffer_addc(&c->prefix, '\n'); /* behind a body of no bytes */
    return buffer_ok(&c->prefix) ? 0 : -1;
}

/* One that no memory is left for is a failure. */
static int
write_result(struct exchange *c)
{
    struct failure err = c->fetch->failure;

    if (err.error == ERROR_NONE && fetch_response_write(c) == 0) {
        if (!c->frames)
            buffer_addc(&c->prefix, '\n');
        if (buffer_ok(&c->prefix))
            return 0;
    }
    failure_no_memory(&err);
    exchange_clear_piece(c);
    return write_failure(c, &err);
}

bool
route_batch_next_chunk(struct exchange *c)
{
    exchange_clear_piece(c);
    fetch_unref(c->fetch);
    start_fetches(c);
    while ((c->fetch = batch_window_take(c->batch)) != NULL) {
        if (!c->broken && write_result(c) == 0)
            return true;
        give_up(c);
        fetch_unref(c->fetch);
    }
    c->partial = !batch_window_is_done(c->batch);
    return false;
}
