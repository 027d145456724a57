/*
 * akamai.h - Akamai's text for an HTTP/2 client, "1:65536;4:131072|12517377|0|m,p,a,s": its
 * settings, the connection's window update, priorities, and the order of the pseudo headers.
 */
#ifndef FINGERPRINT_AKAMAI_H
#define FINGERPRINT_AKAMAI_H

#include "util/failure.h"

#include <stddef.h>

#define AKAMAI_BYTES_MAX 1024

struct akamai {
    char settings[AKAMAI_BYTES_MAX]; /* "1:65536;4:131072" */
    long window_update;              /* 0: none is sent */
    char streams[AKAMAI_BYTES_MAX];  /* "3:0:0:201,…"; "": no PRIORITY frames */
    char pseudo[5];                  /* "mpas" */
};

/* -1 with `err`: bad_request with a detail that names what is wrong, but no key. */
int akamai_parse(struct akamai *a, const char *text, struct failure *err)
    __attribute__((warn_unused_result));

/* The order of the pseudo headers alone, `size` bytes of "m,a,s,p" or "masp". */
int akamai_read_pseudo(char pseudo[5], const char *text, size_t size, struct failure *err)
    __attribute__((warn_unused_result));

#endif
