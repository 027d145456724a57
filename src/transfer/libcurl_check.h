/*
 * libcurl_check.h - is the libcurl that this process runs with one that can be trusted?
 *
 * Headers and library may differ: the dynamic linker decides at start which library is used.
 */
#ifndef TRANSFER_LIBCURL_CHECK_H
#define TRANSFER_LIBCURL_CHECK_H

#include "util/failure.h"

/*
 * 0; or -1 with `err` naming the version in use and the one needed.  Before 8.14 one origin's
 * answer can end the process or become another caller's answer.
 */
int libcurl_check(struct failure *err) __attribute__((warn_unused_result));

#endif
