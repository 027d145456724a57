/*
 * reply.h - writing an answer to a web server, as fast as it reads and no faster.
 */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include "gateway/connection.h"

void reply_start(struct connection *c); /* its call is answered */
void reply_pump(struct connection *c);  /* its peer takes more */

/* An answer that cannot go on: seen as broken, where it can be. */
void reply_break(struct connection *c);

/* Send what is framed.  1: all of it; 0: the peer takes no more for now; -1: it is gone. */
int reply_send(struct connection *c);

#endif
