/*
 * worker_inbox.h - how other threads reach an engine thread: which one, and what they may ask.
 *
 * All of it may be called from any thread; nothing blocks.
 */
#ifndef ENGINE_WORKER_INBOX_H
#define ENGINE_WORKER_INBOX_H

#include "engine/engine_data.h"

/* The thread that an origin's fetches run on. */
struct engine_worker *worker_inbox_for(struct curlew *engine, const char *origin);

/* The fetch is the thread's now. */
void worker_inbox_post(struct engine_worker *w, struct curlew_fetch *f);

/* f's caller has left; nothing happens where f is done. */
void worker_inbox_cancel(struct curlew_fetch *f);

/* f's reader has room again; nothing happens where f is done. */
void worker_inbox_resume(struct curlew_fetch *f);

/* f's upload has something new; nothing happens where f is done. */
void worker_inbox_upload_bytes(struct curlew_fetch *f);

/* The thread is to answer a part of a fetch_list. */
void worker_inbox_list(struct engine_worker *w, struct mail *part);

/* There is a new configuration, in which sessions may be gone; each thread has a reference. */
void worker_inbox_new_config(struct curlew *engine, struct config_snapshot *p);

/* A session was reset: every thread drops its idle connections. */
void worker_inbox_drop_reset(struct curlew *engine);

/* Descriptors are short: every thread closes all its idle connections. */
void worker_inbox_drop_idle(struct curlew *engine);

/* A slot has become free: threads other than `by` may have a fetch waiting for it. */
void worker_inbox_slot_freed(struct curlew *engine, const struct engine_worker *by);

#endif
