/*
 * pause.h - a running fetch that does not read for a while: its reader is slow, or it too fast.
 *
 * Of the session thread that has the fetch.
 */
#ifndef ENGINE_PAUSE_H
#define ENGINE_PAUSE_H

#include "engine/engine_worker.h"

/* From f's write callback, which then says CURL_WRITEFUNC_PAUSE: until that time, or resumed. */
#define PAUSE_UNTIL_RESUMED INT64_MAX
void pause_begin(struct curlew_fetch *f, int64_t until_us);

/* Its reader has room again; drops a reference. */
void pause_resume(struct engine_worker *m, struct curlew_fetch *f);

/* f->pace has fired. */
void pause_is_over(struct timer *t);

#endif
