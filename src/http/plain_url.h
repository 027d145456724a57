/*
 * plain_url.h - URLs so plain that every parser reads them alike, read without libcurl's.
 *
 * Most URLs that a program fetches are such: a lower-case scheme, a host of lower-case ASCII labels
 * or an IPv4 address of four decimal numbers, a port maybe, and a path and query of characters that
 * stand for themselves (RFC 3986 sections 3.2 to 3.4), with no "." segment.  libcurl's parser reads
 * all others.  It makes the same of these at twenty times the cost: tests compare the two.
 */
#ifndef HTTP_PLAIN_URL_H
#define HTTP_PLAIN_URL_H

#include "http/url_parts.h"

#include <stdbool.h>

/* The parts are pieces of `text`.  false: it is no such URL, and nothing of them is set. */
bool plain_url_read(const char *text, struct url_parts *parts);

#endif
