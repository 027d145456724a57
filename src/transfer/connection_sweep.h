/*
 * connection_sweep.h - makes libcurl close the connections that are shut down.
 *
 * libcurl has no call that closes an idle connection.  But whenever a transfer starts, and at most
 * once a second, it closes those that are dead.  So the sweep is a transfer whose socket is
 * refused.
 */
#ifndef TRANSFER_CONNECTION_SWEEP_H
#define TRANSFER_CONNECTION_SWEEP_H

#include "event/loop.h"

#include <curl/curl.h>

struct connection_sweep {
    struct loop *loop;
    CURLM *multi;
    CURL *easy; /* NULL: not needed so far */
    struct timer timer;
    bool running;
    int left; /* sweeps until it gives up */
};

void connection_sweep_init(struct connection_sweep *s, struct loop *loop, CURLM *multi);

/* Before the multi handle goes. */
void connection_sweep_destroy(struct connection_sweep *s);

/* A connection was shut down. */
void connection_sweep_start(struct connection_sweep *s);

/* libcurl has finished with a handle: true where it is the sweep's.  `left`: some are open yet. */
bool connection_sweep_finish(struct connection_sweep *s, CURL *easy, bool left);

#endif
