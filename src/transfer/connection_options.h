/*
 * connection_options.h - the connection of a hop: proxy, TLS, HTTP version, old or new.
 */
#ifndef TRANSFER_CONNECTION_OPTIONS_H
#define TRANSFER_CONNECTION_OPTIONS_H

#include "fetch/fetch.h"

/* Set the options on f's handle.  -1 with f->failure: this libcurl lacks that HTTP version. */
int connection_options_set(struct curlew_fetch *f);

/* May the hop go by HTTP/2 without TLS? */
bool connection_options_is_h2c(const struct curlew_fetch *f);

/*
 * After a failed handshake: the key of the client certificate's file that cannot be read, which
 * libcurl does not always say; errno tells why.  NULL: it is not that.
 */
const char *connection_options_unreadable(const struct curlew_fetch *f);

/* A response has come on the hop's connection: others may use it. */
void connection_options_on_response(struct curlew_fetch *f);

/* The hop begins, maybe anew: libcurl takes the addresses of `resolve` once, and not for ever. */
void connection_options_start(struct curlew_fetch *f);

/* What the hop kept for its options goes; it is off the multi handle. */
void connection_options_release(struct curlew_fetch *f);

#endif
