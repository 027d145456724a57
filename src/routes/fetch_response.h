/*
 * fetch_response.h - a fetch's result as a piece of the response: an envelope or a frame.
 */
#ifndef ROUTES_FETCH_RESPONSE_H
#define ROUTES_FETCH_RESPONSE_H

#include "fastcgi/exchange.h"

#define FETCH_RESPONSE_FRAMES "application/vnd.curlew.frames"

/* Sets x->frames: does the caller's Accept ask for them? */
void fetch_response_choose_format(struct exchange *x);

/*
 * The result of x->fetch, which has succeeded, becomes x->prefix.  An envelope has a copy of the
 * body, which is freed; of a frame the middle is the body itself, which stays the fetch's.  -1 with
 * err: there is no memory for it, or limits.buffered_bytes are in use.
 */
int fetch_response_write(struct exchange *x, struct failure *err);

/*
 * A response of that Content-Type whose body comes in pieces: its head, as x->head.
 * X-Accel-Buffering: nginx passes each piece on at once.
 */
void fetch_response_begin(struct exchange *x, const char *type);

#endif
