/*
 * acceptor.h - a worker accepts connections of web servers, as far as open files allow.
 *
 * Beyond the share of connections_max the connection that is idle for longest is closed, and
 * surplus_max more are accepted: they get a health check, but no fetch.  Then, and where the
 * process has no descriptor left, accepting pauses; who connects meanwhile waits in the socket.
 */
#ifndef FASTCGI_ACCEPTOR_H
#define FASTCGI_ACCEPTOR_H

#include "fastcgi/fcgi_state.h"

/* Watch the server's listeners.  0, or -1 with errno. */
int acceptor_start(struct fcgi_worker *w);

/* Leave them to the others. */
void acceptor_stop(struct fcgi_worker *w);

/* After acceptor_stop(), or in place of it where the thread has never run. */
void acceptor_destroy(struct fcgi_worker *w);

/* In each turn of the worker: give back what another worker, or this one, is short of. */
void acceptor_relieve(struct fcgi_worker *w);

#endif
