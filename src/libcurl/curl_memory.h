/*
 * curl_memory.h - how often libcurl, or OpenSSL on its behalf, was refused memory.
 *
 * libcurl reports most failures of its own by what they lead to: a look-up that failed, a malformed
 * response.  And some of its functions report none.  So its allocations are counted where they
 * fail.  Where the program has used one of them before us, that one's are not.
 */
#ifndef LIBCURL_CURL_MEMORY_H
#define LIBCURL_CURL_MEMORY_H

#include <stdint.h>

/* In the place of curl_global_init().  -1: libcurl cannot be used. */
int curl_memory_init(void);

/* So far, in all threads. */
uint64_t curl_memory_failures(void);

#endif
