/*
 * ja3.h - a JA3 text, "771,4865-4866,0-10-11,29-23,0": what a ClientHello is to look like.
 *
 * Its five fields are numbers of IANA's registries: TLS version, cipher suites, extensions, groups
 * and point formats.  A TLS library takes names.  Only what the BoringSSL of libcurl-impersonate
 * can send is accepted: another hello than the one asked for would give the caller away.
 */
#ifndef FINGERPRINT_JA3_H
#define FINGERPRINT_JA3_H

#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

#define JA3_BYTES_MAX 2048

struct ja3 {
    struct buffer ciphers;    /* names with ":" between */
    struct buffer extensions; /* numbers with "-" between */
    struct buffer groups;     /* names with ":" between */
    bool can_resume;          /* the hello has the extension that a TLS 1.3 ticket needs */
};

/*
 * Empty *j, which needs no destroy then, becomes what the text says.  -1 with `err`: bad_request
 * with a detail that names what is wrong, but no key; or no memory.
 */
int ja3_parse(struct ja3 *j, const char *text, struct failure *err)
    __attribute__((warn_unused_result));

void ja3_destroy(struct ja3 *j);

/* Is the text a list of such extensions, "0-10-11"?  Likewise. */
int ja3_check_extensions(const char *text, struct failure *err) __attribute__((warn_unused_result));

#endif
