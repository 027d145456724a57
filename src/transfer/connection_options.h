/*
 * connection_options.h - the connection that a hop goes out on: proxy, TLS, HTTP version, old or
 * new.
 */
#ifndef TRANSFER_CONNECTION_OPTIONS_H
#define TRANSFER_CONNECTION_OPTIONS_H

#include "fetch/fetch.h"

/* Set f->easy up so.  0, or -1 with f->failure: this libcurl does not speak that version. */
int connection_options_set(struct curlew_fetch *f);

#endif
