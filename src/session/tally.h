/*
 * tally.h - fetches that have ended, in the figures of the engine and of their sessions.
 */
#ifndef SESSION_TALLY_H
#define SESSION_TALLY_H

#include "session/fetch.h"

void tally_fetch(struct curlew_fetch *f); /* also its response's total time */

#endif
