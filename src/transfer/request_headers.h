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

/*
 * A final head has come.  Did the request have an Expect field, and was there no 100 (Continue)?
 * Then the body may not have gone out, while the origin still waits for it; libcurl (8.14, 8.23)
 * would send the next request there. So the connection is closed.
 *
 * True: the head is a 417, which refuses the field.  libcurl sends the request again, unless all of
 * it has gone out, and would do so as long as it has the field; now once, without it (RFC 9110
 * section 10.1.1).
 */
bool request_headers_end_expectation(struct curlew_fetch *f);

#endif
