/*
 * fetch_response.h - what a fetch came to, as a piece of an answer: an envelope or a frame.
 */
#ifndef ROUTES_FETCH_RESPONSE_H
#define ROUTES_FETCH_RESPONSE_H

#include "fastcgi/exchange.h"

#define FETCH_RESPONSE_FRAMES "application/vnd.curlew.frames"

/* Sets x->frames: does the caller's Accept ask for them? */
void fetch_response_choose_format(struct exchange *x);

/*
 * The result of x->fetch, which is done and did not fail, becomes x's prefix, which then stands for
 * its body; in a frame also x's middle, which stays the fetch's, and suffix.  -1: no memory.
 */
int fetch_response_write(struct exchange *x);

#endif
