/* secret.c - comparison of a secret with what somebody claims it to be. */

#include "util/secret.h"

/* volatile: the compiler may not end the loop at the first difference. */
bool
secret_equal(const char *stored, size_t stored_len, const char *given, size_t given_len)
{
    volatile unsigned char difference = stored_len != given_len;

    for (size_t i = 0; i < stored_len; i++) {
        unsigned char c = i < given_len ? (unsigned char)given[i] : 0;

        difference |= (unsigned char)stored[i] ^ c;
    }
    return difference == 0;
}
