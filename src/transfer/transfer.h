/*
 * transfer.h - one hop of a fetch on a libcurl easy handle.
 *
 * Sets every option the request asks for, collects head and body within their
 * limits, lets the egress guard judge each address, and says afterwards what
 * libcurl's answer means in the words of the contract.
 */
#ifndef TRANSFER_TRANSFER_H
#define TRANSFER_TRANSFER_H

#include "fetch/fetch.h"

/* Set f->easy up for the hop at f->url.  0, or -1 with f->failure. */
int transfer_prepare(struct curlew_fetch *f);

/* What belongs to the hop alone (header lines, multipart body) goes. */
void transfer_release(struct curlew_fetch *f);

#endif
