/*
 * perk.h - curl_cffi's text for an HTTP/3 client, "1:65536;7:100|masp|1:30000;4:15728640": its
 * settings, the order of the pseudo headers, and QUIC's transport parameters.
 */
#ifndef FINGERPRINT_PERK_H
#define FINGERPRINT_PERK_H

#include "util/failure.h"

#define PERK_BYTES_MAX 2048

struct perk {
    char settings[PERK_BYTES_MAX];   /* "1:65536;7:100;GREASE" */
    char pseudo[5];                  /* "masp" */
    char parameters[PERK_BYTES_MAX]; /* "1:30000;4:15728640;GREASE" */
};

/* -1 with `err`: bad_request with a detail that names what is wrong, but no key. */
int perk_parse(struct perk *p, const char *text, struct failure *err)
    __attribute__((warn_unused_result));

#endif
