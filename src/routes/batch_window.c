/*
 * batch_window.c - the requests of a batch: which are started, in flight, ready to be written.
 */

#include "routes/batch_window.h"

#include "curlew/curlew.h"

#include <stdlib.h>

struct batch_window {
    struct batch *batch;
    size_t max_in_flight, max_started, max_ready_bytes;
    size_t end;        /* no request from this one on is started */
    size_t next;       /* the first that has not been started */
    size_t next_ready; /* in the order of input: the first that is not ready */
    size_t taken;      /* how many, by now */
    size_t in_flight_count;
    size_t request_bytes;         /* of those that have been started and not yet taken */
    size_t ready_bytes;           /* of bodies, early ones too */
    struct link in_flight, ready; /* fetches by their `kin`; ready ones in the order of writing */
    struct curlew_fetch **early;  /* by index modulo max_started; NULL: any order will do */
};

struct batch_window *
batch_window_new(struct batch *batch, size_t bytes)
{
    struct batch_window *window = calloc(1, sizeof *window);

    if (window == NULL) {
        batch_free(batch);
        return NULL;
    }
    window->batch = batch;
    window->max_in_flight = batch_parallel(batch);
    window->max_started = BATCH_WINDOW * window->max_in_flight;
    window->max_ready_bytes = bytes;
    window->end = batch_count(batch);
    list_init(&window->in_flight);
    list_init(&window->ready);
    if (batch_in_order(batch) &&
        (window->early = calloc(window->max_started, sizeof(struct curlew_fetch *))) == NULL) {
        batch_window_free(window);
        return NULL;
    }
    return window;
}

static struct curlew_fetch *
first_of(struct link *list)
{
    struct link *l = list_take(list);

    return l != NULL ? container_of(l, struct curlew_fetch, kin) : NULL;
}

static void
free_all(struct link *list)
{
    struct curlew_fetch *f;

    while ((f = first_of(list)) != NULL)
        fetch_unref(f);
}

void
batch_window_free(struct batch_window *window)
{
    if (window == NULL)
        return;
    free_all(&window->in_flight);
    free_all(&window->ready);
    for (size_t i = 0; window->early != NULL && i < window->max_started; i++)
        fetch_unref(window->early[i]);
    free(window->early);
    batch_free(window->batch);
    free(window);
}

/* -- from request to result ---------------------------------------------- */

bool
batch_window_has_room(const struct batch_window *window)
{
    return window->next < window->end && window->in_flight_count < window->max_in_flight &&
           window->next - window->taken < window->max_started &&
           window->ready_bytes < window->max_ready_bytes &&
           window->request_bytes < BATCH_REQUEST_BYTES;
}

void
batch_window_start(struct batch_window *window, struct curlew_fetch *f)
{
    f->index = (int)window->next;
    batch_read(window->batch, window->next, &f->request, &f->failure);
    f->kin_bytes = request_bytes(&f->request);
    window->request_bytes += f->kin_bytes;
    window->next++;
    list_append(&window->in_flight, &f->kin);
    window->in_flight_count++;
}

/* f fills a gap: those that ended before it and come right after it are ready, too. */
static void
put_in_order(struct batch_window *window, struct curlew_fetch *f)
{
    struct curlew_fetch **at = &window->early[(size_t)f->index % window->max_started];

    *at = f;
    while (*(at = &window->early[window->next_ready % window->max_started]) != NULL) {
        list_append(&window->ready, &(*at)->kin);
        *at = NULL;
        window->next_ready++;
    }
}

void
batch_window_on_fetch_done(struct batch_window *window, struct curlew_fetch *f)
{
    list_remove(&f->kin);
    window->in_flight_count--;
    window->ready_bytes += f->response.body.len;
    if (window->early != NULL)
        put_in_order(window, f);
    else
        list_append(&window->ready, &f->kin);
}

struct curlew_fetch *
batch_window_take(struct batch_window *window)
{
    struct curlew_fetch *f = first_of(&window->ready);

    if (f == NULL)
        return NULL;
    window->taken++;
    window->ready_bytes -= f->response.body.len;
    window->request_bytes -= f->kin_bytes;
    return f;
}

/* -- the end ------------------------------------------------------------- */

/* The newest first: it may still be queued, and an older one that is cancelled would start it. */
void
batch_window_cancel(struct batch_window *window)
{
    window->end = window->next;
    for (struct link *l = window->in_flight.prev; l != &window->in_flight; l = l->prev)
        curlew_cancel(container_of(l, struct curlew_fetch, kin));
}

bool
batch_window_is_done(const struct batch_window *window)
{
    return window->taken == window->end;
}
