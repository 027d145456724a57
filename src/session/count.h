/*
 * count.h - a fetch that has ended, in the figures of the engine and of its session.
 */
#ifndef SESSION_COUNT_H
#define SESSION_COUNT_H

#include "session/engine.h"

void count_fetch(struct curlew *engine, struct curlew_fetch *f); /* also notes how long it took */

#endif
