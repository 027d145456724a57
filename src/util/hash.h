/*
 * hash.h - FNV-1a (RFC 9923), 64 bits: for tables and for telling things apart, never for secrets.
 */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 14695981039346656037u

/*
 * h and the bytes of text (NULL: none) and its end, so that "ab" with "c" differs from "a" with
 * "bc".
 */
static inline uint64_t
hash_text(uint64_t h, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return (h ^ 0xff) * 1099511628211u; /* no byte of UTF-8 */
}

/* h and the eight bytes of a number. */
static inline uint64_t
hash_number(uint64_t h, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        h = (h ^ (number & 0xff)) * 1099511628211u;
    return h;
}

/* Its bucket of n. */
static inline size_t
hash_bucket(uint64_t h, size_t n)
{
    return (size_t)((h ^ (h >> 32)) % n);
}

#endif
