/*
 * ca_pem.h - is a text a bundle of certificates in PEM (RFC 7468)?
 *
 * Text between the blocks is ignored, as OpenSSL does.  Whether each certificate is one that can be
 * trusted is known in the handshake only.
 */
#ifndef HTTP_CA_PEM_H
#define HTTP_CA_PEM_H

#include "util/failure.h"

#include <stddef.h>

#define CA_PEM_BYTES_MAX (1 << 20)

/*
 * 0, or -1 with `err`, whose detail begins with no key: no certificate, one that is no base64 of
 * one DER sequence, a private key, which has no place here, over CA_PEM_BYTES_MAX, or no memory.
 */
int ca_pem_check(const char *pem, size_t n, struct failure *err);

#endif
