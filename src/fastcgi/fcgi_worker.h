/*
 * fcgi_worker.h - one thread that speaks FastCGI with the connections it has accepted.
 */
#ifndef FASTCGI_FCGI_WORKER_H
#define FASTCGI_FCGI_WORKER_H

#include "event/loop.h"
#include "fastcgi/fcgi_server.h"
#include "util/failure.h"

#define FCGI_WORKER_READ_BYTES 65536

struct fcgi_connection;
struct fcgi_worker;

/* Its thread runs. */
struct fcgi_worker *fcgi_worker_new(struct fcgi_server *g, struct failure *err);

/* Once draining: waits until it has answered everybody. */
void fcgi_worker_join(struct fcgi_worker *r);

/* After every responder was joined: they wake each other. */
void fcgi_worker_free(struct fcgi_worker *r);

void fcgi_worker_wake(struct fcgi_worker *r);

/* For its connections, on its thread. */
struct fcgi_server *fcgi_worker_server(struct fcgi_worker *r);
struct loop *fcgi_worker_loop(struct fcgi_worker *r);

/* FCGI_WORKER_READ_BYTES to read into, for the moment. */
char *fcgi_worker_scratch(struct fcgi_worker *r);

void fcgi_worker_add(struct fcgi_worker *r, struct fcgi_connection *c);

/* Closed: freed after this turn. */
void fcgi_worker_defer_free(struct fcgi_worker *r, struct fcgi_connection *c);

/* Answer it within this turn. */
void fcgi_worker_mark_ready(struct fcgi_worker *r, struct fcgi_connection *c);

/* A stream's notify, likewise. */
void fcgi_worker_on_notify(struct curlew_fetch *f, void *connection);

/* A fetch's done callback, on a session thread: sends it to the connection's responder. */
void fcgi_worker_on_done(struct curlew_fetch *f, void *connection);

#endif
