/*
 * request_headers.h - the header lines of a hop's request: the fetch's own, as far as this hop may
 * have them, and what libcurl would not write, or write otherwise.
 */
#ifndef TRANSFER_REQUEST_HEADERS_H
#define TRANSFER_REQUEST_HEADERS_H

#include "fetch/fetch.h"

/* Give f's handle the lines.  -1 with f->failure: no memory. */
int request_headers_set(struct curlew_fetch *f);

/*
 * Does a request with this method say Content-Length: 0 where there is nothing to send (RFC 9110
 * section 8.6)?
 */
bool request_headers_want_length(const char *method);

#endif
