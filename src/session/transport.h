/*
 * transport.h - the connection that a hop goes out on: proxy, TLS, HTTP version, old or new.
 */
#ifndef SESSION_TRANSPORT_H
#define SESSION_TRANSPORT_H

#include "fetch/fetch.h"

/* Set f->easy up so.  0, or -1 with f->failure: this libcurl does not speak that version. */
int transport_prepare(struct curlew_fetch *f);

#endif
