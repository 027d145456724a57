/*
 * responder.h - one thread that speaks FastCGI with the connections it has accepted.
 */
#ifndef GATEWAY_RESPONDER_H
#define GATEWAY_RESPONDER_H

#include "event/loop.h"
#include "gateway/gateway.h"
#include "util/error.h"

#define RESPONDER_READ_BYTES 65536

struct connection;
struct responder;

struct responder *responder_new(struct gateway *g, struct failure *err); /* its thread runs */
void responder_join(struct responder *r); /* once draining: waits until it has answered everybody */
void
responder_free(struct responder *r); /* after every responder was joined: they wake each other */
void responder_wake(struct responder *r);

/* For its connections, on its thread. */
struct gateway *responder_gateway(struct responder *r);
struct loop *responder_loop(struct responder *r);
char *
responder_scratch(struct responder *r); /* RESPONDER_READ_BYTES to read into, for the moment */
void responder_adopt(struct responder *r, struct connection *c);
void responder_bury(struct responder *r, struct connection *c); /* closed: freed after this turn */

void responder_stir(struct responder *r, struct connection *c); /* answer it within this turn */

/* A stream's notify, likewise. */
void responder_notice(struct curlew_fetch *f, void *connection);

/* A fetch's done callback, on a session thread: sends it to the connection's responder. */
void responder_done(struct curlew_fetch *f, void *connection);

#endif
