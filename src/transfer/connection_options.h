/*
 * connection_options.h - the connection of a hop: proxy, TLS, HTTP version, old or new.
 */
#ifndef TRANSFER_CONNECTION_OPTIONS_H
#define TRANSFER_CONNECTION_OPTIONS_H

#include "fetch/fetch.h"

/* Set the options on f's handle.  -1 with f->failure: this libcurl lacks that HTTP version. */
int connection_options_set(struct curlew_fetch *f);

/* May f's hop go by HTTP/2, where the origin offers it? */
bool connection_options_may_be_http2(const struct curlew_fetch *f);

#endif
