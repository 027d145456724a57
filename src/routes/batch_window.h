/*
 * batch_window.h - the requests of a batch: which are started, in flight, ready to be written.
 *
 *   requests ─start─▶ in flight ─done─▶ [early: before its turn] ─▶ ready ─take─▶ written
 *                                       only in the order of input
 *
 * A window for back-pressure: `max_parallel` fetches are in flight at most, and none is started
 * while BATCH_WINDOW times as many have been started and not yet taken, or while the bodies that
 * wait to be taken are over their limit of bytes, or the requests that have been started over
 * theirs: each has a copy of the batch's defaults.  So a slow reader stops the starts, and a first
 * result that is late holds back only so many behind it.  It belongs to one worker's thread.
 */
#ifndef ROUTES_BATCH_WINDOW_H
#define ROUTES_BATCH_WINDOW_H

#include "fetch/fetch.h"
#include "message/batch.h"

#define BATCH_WINDOW        4
#define BATCH_REQUEST_BYTES (16 << 20) /* of requests that have been started and not yet taken */

struct batch_window;

/*
 * Takes b.  No fetch is started while `bytes` (at least 1) of bodies wait.  NULL: no memory, and b
 * is freed.
 */
struct batch_window *batch_window_new(struct batch *batch, size_t bytes);

/* With nothing in flight; frees its fetches. */
void batch_window_free(struct batch_window *window);

/* One more may be started now. */
bool batch_window_has_room(const struct batch_window *window);

/*
 * The next request goes into f, a new fetch, with its index, and what is wrong with it into
 * f->failure.  From here on f is the window's, and in flight, until batch_window_on_fetch_done().
 */
void batch_window_start(struct batch_window *window, struct curlew_fetch *f);

/* f has ended, or was refused. */
void batch_window_on_fetch_done(struct batch_window *window, struct curlew_fetch *f);

/* The next to write, the caller's to free; NULL: none now. */
struct curlew_fetch *batch_window_take(struct batch_window *window);

/* Starts no more, cancels what is in flight. */
void batch_window_cancel(struct batch_window *window);

/* Nothing is left to start or to take. */
bool batch_window_is_done(const struct batch_window *window);

#endif
