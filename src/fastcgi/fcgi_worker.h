/*
 * fcgi_worker.h - one thread: it accepts connections of web servers and serves them.
 */
#ifndef FASTCGI_FCGI_WORKER_H
#define FASTCGI_FCGI_WORKER_H

#include "fastcgi/fcgi_state.h"
#include "util/failure.h"

/* Its thread runs. */
struct fcgi_worker *fcgi_worker_new(struct fcgi_server *server, struct failure *err);

/* Once the server is draining: waits until the worker has answered everybody. */
void fcgi_worker_join(struct fcgi_worker *w);

/* After every worker was joined: they wake each other. */
void fcgi_worker_free(struct fcgi_worker *w);

#endif
