/*
 * sha256.h - SHA-256 (FIPS 180-4) of bytes in memory.
 */
#ifndef UTIL_SHA256_H
#define UTIL_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 65 /* with the NUL */

#define SHA256_SIZE 32

void sha256_digest(unsigned char digest[SHA256_SIZE], const void *bytes, size_t n);

/* In lower-case hex. */
void sha256_hex(char hex[SHA256_HEX_SIZE], const void *bytes, size_t n);

#endif
