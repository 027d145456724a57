/*
 * fetch_flow.h - the way of a fetch through a session thread, from its arrival to its end.
 *
 *   begin ─▶ scheduler ─▶ start ─▶ libcurl ─▶ conclude ─┬─▶ finish: done()
 *              ▲                                        │
 *              ├──────────── a redirect ────────────────┤
 *              └──── rest ◀──── another try ────────────┘
 *
 * Of the session thread that has the fetch; only fetch_flow_init() is for whoever posts it.
 */
#ifndef ENGINE_FETCH_FLOW_H
#define ENGINE_FETCH_FLOW_H

#include "engine/engine_worker.h"

void fetch_flow_init(struct curlew_fetch *f);

/* It has come out of the inbox. */
void fetch_flow_start(struct engine_worker *m, struct curlew_fetch *f);

/* libcurl is done with it. */
void fetch_flow_finish_hop(struct engine_worker *m, struct curlew_fetch *f, CURLcode result);

/* The caller has left; drops a reference. */
void fetch_flow_cancel(struct engine_worker *m, struct curlew_fetch *f);

void fetch_flow_cancel_all(struct engine_worker *m);

/* Whoever waits and can start, starts. */
void fetch_flow_dispatch(struct engine_worker *m);

/* For those who stop a fetch from the side. */

/* Its timer anew, as its time-outs say. */
void fetch_flow_arm_timer(struct engine_worker *m, struct curlew_fetch *f);

/* Of f->failure, wherever it stands. */
void fetch_flow_fail(struct engine_worker *m, struct curlew_fetch *f);

#endif
