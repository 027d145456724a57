/*
 * batch_window.h - a batch under way: what has been started, is in flight, is ready to be written.
 *
 *   requests ─start─▶ flying ─back─▶ [early: before its turn] ─▶ ready ─take─▶ written
 *                                    only in the order of input
 *
 * As much is started as the caller's reading makes room for: `max_parallel` are in flight at most,
 * and none is started while BATCH_WINDOW times as many have been started and not yet taken, or
 * while as many bytes of bodies wait to be taken as the gateway allows.  So a slow reader stops the
 * starts, and a first result that is late holds back only so many behind it.  Of one responder's
 * thread.
 */
#ifndef ROUTES_BATCH_WINDOW_H
#define ROUTES_BATCH_WINDOW_H

#include "fetch/fetch.h"
#include "message/batch.h"

#define BATCH_WINDOW 4

struct batch_window;

/* Takes b; `bytes`, from 1, of bodies that wait stop the starts.  NULL: no memory, b is freed. */
struct batch_window *batch_window_new(struct batch *b, size_t bytes);

/* Nothing of it is in flight; frees its fetches. */
void batch_window_free(struct batch_window *run);

/* One more may be started now. */
bool batch_window_has_room(const struct batch_window *run);

/*
 * The next request goes into f, a new fetch, with its index, and what is wrong with it into
 * f->failure.  From here on f is the run's, and flying, until batch_window_on_fetch_done().
 */
void batch_window_start(struct batch_window *run, struct curlew_fetch *f);

/* It is done, or was refused. */
void batch_window_on_fetch_done(struct batch_window *run, struct curlew_fetch *f);

/* The caller's to free; NULL: none. */
struct curlew_fetch *batch_window_take(struct batch_window *run);

/* Starts no more, cancels what is in flight. */
void batch_window_cancel(struct batch_window *run);

/* Nothing is left to start, nor to take. */
bool batch_window_is_done(const struct batch_window *run);

#endif
