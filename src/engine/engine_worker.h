/*
 * engine_worker.h - the life of an engine thread: its event loop, which drives libcurl.
 */
#ifndef ENGINE_ENGINE_WORKER_H
#define ENGINE_ENGINE_WORKER_H

#include "engine/engine_data.h"

/* With its thread running. */
struct engine_worker *engine_worker_new(struct curlew *engine, struct failure *err);

/* Once the engine is stopping: cancels what it has, ends the thread. */
void engine_worker_join(struct engine_worker *w);

/* After every thread of the engine was joined. */
void engine_worker_free(struct engine_worker *w);

#endif
