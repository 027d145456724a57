/*
 * result.h - what a fetch came to, as a piece of an answer: an envelope or a frame.
 */
#ifndef GATEWAY_RESULT_H
#define GATEWAY_RESULT_H

#include "fastcgi/exchange.h"

#define RESULT_FRAMES "application/vnd.curlew.frames"

/* Sets c->frames: does the caller's Accept ask for them? */
void result_choose_form(struct exchange *c);

/*
 * The result of c->fetch, which is done and did not fail, becomes c's prefix, which then stands for
 * its body; in a frame also c's middle, which stays the fetch's, and suffix.  -1: no memory.
 */
int result_write(struct exchange *c);

#endif
