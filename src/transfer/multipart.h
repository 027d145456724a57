/*
 * multipart.h - a multipart/form-data body (RFC 7578) for libcurl.
 */
#ifndef TRANSFER_MULTIPART_H
#define TRANSFER_MULTIPART_H

#include "fetch/fetch.h"

/* The parts of f's request become its hop's body; libcurl makes the boundary.  -1: no memory. */
int multipart_set(struct curlew_fetch *f);

#endif
