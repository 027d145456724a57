/*
 * secret.h - comparison of a secret with what somebody claims it to be.
 */
#ifndef UTIL_SECRET_H
#define UTIL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Constant-time comparison: the time depends on stored_len alone, not on how much of `given` is
 * right.  So the length of the stored secret may become known, its bytes do not.
 */
bool secret_equal(const char *stored, size_t stored_len, const char *given, size_t given_len);

#endif
