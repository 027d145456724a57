/*
 * fetch_flow.h - the way of a fetch through an engine thread, from its arrival to its end.
 *
 *   start ─▶ scheduler ─▶ start_hop ─▶ libcurl ─▶ finish_hop ─┬─▶ finish: done()
 *              ▲                                              │
 *              ├──────────── next_hop: a redirect ────────────┤
 *              └──────────── wait_retry ◀─── a retry ─────────┘
 *
 * The one module that knows both the scheduler and libcurl's side, transfer/.  Its functions are
 * called on the thread that has the fetch.
 */
#ifndef ENGINE_FETCH_FLOW_H
#define ENGINE_FETCH_FLOW_H

#include "engine/engine_data.h"

/* It has come out of the inbox. */
void fetch_flow_start(struct engine_worker *w, struct curlew_fetch *f);

/* Go on with every transfer that libcurl has finished, then fetch_flow_dispatch(). */
void fetch_flow_reap(struct engine_worker *w);

/* Whoever waits and can start, starts. */
void fetch_flow_dispatch(struct engine_worker *w);

/* The reader of its body has room again; drops a reference. */
void fetch_flow_resume(struct engine_worker *w, struct curlew_fetch *f);

/* The caller has sent more of its upload; drops a reference. */
void fetch_flow_upload(struct engine_worker *w, struct curlew_fetch *f);

/* The caller has left; drops a reference. */
void fetch_flow_cancel(struct engine_worker *w, struct curlew_fetch *f);

void fetch_flow_cancel_all(struct engine_worker *w);

#endif
