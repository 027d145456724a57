/*
 * batch_run.h - a batch under way: what has been started, is in flight, is ready to be written.
 *
 *   requests ─start─▶ flying ─back─▶ [early: before its turn] ─▶ ready ─take─▶ written
 *                                    only in the order of input
 *
 * As much is started as the caller's reading makes room for: `max_parallel` are in flight at most,
 * and none is started while BATCH_RUN_WINDOW times as many have been started and not yet taken, or
 * while as many bytes of bodies wait to be taken as the gateway allows.  So a slow reader stops the
 * starts, and a first result that is late holds back only so many behind it.  Of one responder's
 * thread.
 */
#ifndef GATEWAY_BATCH_RUN_H
#define GATEWAY_BATCH_RUN_H

#include "fetch/fetch.h"
#include "message/batch_request.h"

#define BATCH_RUN_WINDOW 4

struct batch_run;

/* Takes b; `bytes`, from 1, of bodies that wait stop the starts.  NULL: no memory, b is freed. */
struct batch_run *batch_run_new(struct batch *b, size_t bytes);
void batch_run_free(struct batch_run *run); /* nothing of it is in flight; frees its fetches */

bool batch_run_has_room(const struct batch_run *run); /* one more may be started now */

/*
 * The next request goes into f, a new fetch, with its index, and what is wrong with it into
 * f->failure.  From here on f is the run's, and flying, until batch_run_back().
 */
void batch_run_start(struct batch_run *run, struct curlew_fetch *f);
void batch_run_back(struct batch_run *run, struct curlew_fetch *f); /* it is done, or was refused */
struct curlew_fetch *batch_run_take(struct batch_run *run); /* the caller's to free; NULL: none */

void batch_run_stop(struct batch_run *run);       /* starts no more, cancels what is in flight */
bool batch_run_over(const struct batch_run *run); /* nothing is left to start, nor to take */

#endif
