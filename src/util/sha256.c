/* sha256.c - SHA-256 (FIPS 180-4) of bytes in memory. */

#include "util/sha256.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 64

/* clang-format off */
static const uint32_t constants[BLOCK] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
/* clang-format on */

static uint32_t
rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void
expand(uint32_t w[BLOCK], const unsigned char *block)
{
    for (size_t i = 0; i < 16; i++, block += 4)
        w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
               block[3];
    for (size_t i = 16; i < BLOCK; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

struct state {
    uint32_t a, b, c, d, e, f, g, h;
};

/* By hand, so that the eight words stay in registers: half the time of an array's. */
static inline void
mix(struct state *s, uint32_t constant_and_word)
{
    uint32_t choice = s->g ^ (s->e & (s->f ^ s->g));
    uint32_t majority = (s->a & s->b) | (s->c & (s->a | s->b));
    uint32_t t =
        s->h + (rotate(s->e, 6) ^ rotate(s->e, 11) ^ rotate(s->e, 25)) + choice + constant_and_word;
    uint32_t u = (rotate(s->a, 2) ^ rotate(s->a, 13) ^ rotate(s->a, 22)) + majority;

    *s = (struct state){ t + u, s->a, s->b, s->c, s->d + t, s->e, s->f, s->g };
}

static void
add_block(uint32_t h[8], const unsigned char *block)
{
    struct state s = { h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7] };
    uint32_t w[BLOCK];

    expand(w, block);
    for (size_t i = 0; i < BLOCK; i++)
        mix(&s, constants[i] + w[i]);
    h[0] += s.a;
    h[1] += s.b;
    h[2] += s.c;
    h[3] += s.d;
    h[4] += s.e;
    h[5] += s.f;
    h[6] += s.g;
    h[7] += s.h;
}

/* What is left of the bytes, a one bit, zeros, and the length in bits. */
static void
add_end(uint32_t h[8], const unsigned char *rest, size_t n, size_t total)
{
    unsigned char end[2 * BLOCK] = { 0 };
    size_t size = n < BLOCK - 8 ? BLOCK : 2 * BLOCK;

    if (n > 0)
        memcpy(end, rest, n);
    end[n] = 0x80;
    for (size_t i = 0; i < 8; i++)
        end[size - 1 - i] = (unsigned char)((uint64_t)total * 8 >> 8 * i);
    add_block(h, end);
    if (size > BLOCK)
        add_block(h, end + BLOCK);
}

void
sha256_digest(unsigned char digest[SHA256_SIZE], const void *bytes, size_t n)
{
    uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    const unsigned char *at = bytes;
    size_t left = n;

    for (; left >= BLOCK; left -= BLOCK, at += BLOCK)
        add_block(h, at);
    add_end(h, at, left, n);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

void
sha256_hex(char hex[SHA256_HEX_SIZE], const void *bytes, size_t n)
{
    unsigned char digest[SHA256_SIZE];

    sha256_digest(digest, bytes, n);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
