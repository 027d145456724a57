/*
 * connection_options.h - the connection of a hop: proxy, TLS, HTTP version, old or new.
 */
#ifndef TRANSFER_CONNECTION_OPTIONS_H
#define TRANSFER_CONNECTION_OPTIONS_H

#include "fetch/fetch.h"

/* Set the options on f's handle.  -1 with f->failure: this libcurl lacks that HTTP version. */
int connection_options_set(struct curlew_fetch *f);

#endif
