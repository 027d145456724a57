/*
 * batch_window.c - a batch under way: what has been started, is in flight, is ready to be written.
 */

#include "routes/batch_window.h"

#include "curlew/curlew.h"

#include <stdlib.h>

struct batch_window {
    struct batch *batch;
    size_t parallel, window, bytes; /* the limits */
    size_t end;                     /* no request from this one on is started */
    size_t next;                    /* the first that has not been started */
    size_t due;                     /* in the order of input: the first that is not ready */
    size_t taken;                   /* how many, by now */
    size_t flying_count;
    size_t ready_bytes;          /* of bodies, early ones too */
    struct link flying, ready;   /* fetches by their `kin`; ready ones in the order of writing */
    struct curlew_fetch **early; /* by index modulo the window; NULL: any order will do */
};

struct batch_window *
batch_window_new(struct batch *b, size_t bytes)
{
    struct batch_window *run = calloc(1, sizeof *run);

    if (run == NULL) {
        batch_free(b);
        return NULL;
    }
    run->batch = b;
    run->parallel = batch_parallel(b);
    run->window = BATCH_WINDOW * run->parallel;
    run->bytes = bytes;
    run->end = batch_count(b);
    list_init(&run->flying);
    list_init(&run->ready);
    if (batch_in_order(b) &&
        (run->early = calloc(run->window, sizeof(struct curlew_fetch *))) == NULL) {
        batch_window_free(run);
        return NULL;
    }
    return run;
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
batch_window_free(struct batch_window *run)
{
    if (run == NULL)
        return;
    free_all(&run->flying);
    free_all(&run->ready);
    for (size_t i = 0; run->early != NULL && i < run->window; i++)
        fetch_unref(run->early[i]);
    free(run->early);
    batch_free(run->batch);
    free(run);
}

/* -- from request to result ---------------------------------------------- */

bool
batch_window_has_room(const struct batch_window *run)
{
    return run->next < run->end && run->flying_count < run->parallel &&
           run->next - run->taken < run->window && run->ready_bytes < run->bytes;
}

void
batch_window_start(struct batch_window *run, struct curlew_fetch *f)
{
    f->index = (int)run->next;
    batch_read(run->batch, run->next, &f->request, &f->failure);
    run->next++;
    list_append(&run->flying, &f->kin);
    run->flying_count++;
}

/* It comes before others that are back already; those whose turn it makes are ready, too. */
static void
put_in_order(struct batch_window *run, struct curlew_fetch *f)
{
    struct curlew_fetch **at = &run->early[(size_t)f->index % run->window];

    *at = f;
    while (*(at = &run->early[run->due % run->window]) != NULL) {
        list_append(&run->ready, &(*at)->kin);
        *at = NULL;
        run->due++;
    }
}

void
batch_window_on_fetch_done(struct batch_window *run, struct curlew_fetch *f)
{
    list_remove(&f->kin);
    run->flying_count--;
    run->ready_bytes += f->response.body.len;
    if (run->early != NULL)
        put_in_order(run, f);
    else
        list_append(&run->ready, &f->kin);
}

struct curlew_fetch *
batch_window_take(struct batch_window *run)
{
    struct curlew_fetch *f = first_of(&run->ready);

    if (f == NULL)
        return NULL;
    run->taken++;
    run->ready_bytes -= f->response.body.len;
    return f;
}

/* -- the end ------------------------------------------------------------- */

/* The newest first: they may still wait for a place, and an older one would give them its own. */
void
batch_window_cancel(struct batch_window *run)
{
    run->end = run->next;
    for (struct link *l = run->flying.prev; l != &run->flying; l = l->prev)
        curlew_cancel(container_of(l, struct curlew_fetch, kin));
}

bool
batch_window_is_done(const struct batch_window *run)
{
    return run->taken == run->end;
}
