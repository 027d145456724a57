/*
 * request_fingerprint.h - the keys of `fingerprint`: what a ClientHello and the frames are to look
 * like.
 *
 * A value that libcurl-impersonate would misread or ignore is refused here, by name: the fetch
 * would look like another client than the one that was asked for.
 */
#ifndef MESSAGE_REQUEST_FINGERPRINT_H
#define MESSAGE_REQUEST_FINGERPRINT_H

#include "message/request_context.h"

request_read request_fingerprint_read_ja3;
request_read request_fingerprint_read_akamai;
request_read request_fingerprint_read_perk;
request_read request_fingerprint_read_extra;

/* As it was read; NULL: no memory. */
json_t *request_fingerprint_extra_json(const struct extra_fingerprint *e);

#endif
