/*
 * result.h - what a fetch came to, as a piece of an answer: an envelope or a frame.
 */
#ifndef GATEWAY_RESULT_H
#define GATEWAY_RESULT_H

#include "gateway/call.h"

#define RESULT_FRAMES "application/vnd.curlew.frames"

/* Sets c->frames: does the caller's Accept ask for them? */
void result_choose_form(struct call *c);

/*
 * The result of f, which is done and did not fail, becomes c's prefix, and in a frame also its
 * middle, which stays f's, and suffix.  -1: no memory.
 */
int result_write(struct call *c, const struct curlew_fetch *f);

#endif
