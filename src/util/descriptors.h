/*
 * descriptors.h - the process's limit of open files: who may have how many, and whether it is
 * reached.
 *
 * Connections to origins and those of web servers have a share each.  The rest is for what lasts a
 * moment only: name look-ups, files of certificates, and connections of web servers beyond their
 * share, which get an answer that needs no further descriptor.  So a shortage ends by itself, and
 * a health check is answered meanwhile.
 */
#ifndef UTIL_DESCRIPTORS_H
#define UTIL_DESCRIPTORS_H

#include "util/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct descriptor_shares {
    int limit;   /* of the process's open files */
    int origins; /* connections to origins, with those that are idle */
    int callers; /* connections of web servers */
    int surplus; /* further ones of web servers, whose fetches are refused */
};

/* Share out a limit of which so many are in use for good. */
struct descriptor_shares descriptors_divide(int limit, int in_use);

/* The shares of this process, as it is now; `more` descriptors will be in use for good. */
struct descriptor_shares descriptors_shares(int more);

/* An errno that says: no descriptor is left, to this process or to any. */
bool descriptors_is_shortage(int error);

/* None was left, just now; for descriptors_are_short(). */
void descriptors_note_shortage(void);

/*
 * Hardly any is left, or none was within the last second: what failed meanwhile may have failed of
 * it.
 */
bool descriptors_are_short(void);

/* overloaded, with the limit and what to raise.  Returns -1. */
int descriptors_fail(struct failure *err);

#endif
