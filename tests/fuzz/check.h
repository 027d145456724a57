/*
 * check.h - what must hold of a request, however strange its text was.
 */
#ifndef TESTS_FUZZ_CHECK_H
#define TESTS_FUZZ_CHECK_H

#include "message/request_json.h"
#include "util/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
check_refusal(const struct failure *err)
{
    if (err->error != ERROR_BAD_REQUEST && err->error != ERROR_UNSUPPORTED)
        abort();
    if (err->detail[0] == '\0' || !utf8_valid(err->detail, strlen(err->detail)))
        abort();
}

static inline void
check_request(const struct request *r)
{
    if (r->url == NULL || r->url[0] == '\0')
        abort();
    if (r->body != NULL && (r->part_count > 0 || r->body[r->body_size] != '\0'))
        abort();
    if ((r->body != NULL) != (r->body_type != NULL))
        abort();
    for (size_t i = 0; i < r->headers.count; i++) {
        const struct header *h = &r->headers.items[i];

        if (h->name[0] == '\0' || strpbrk(h->name, "\r\n: ") != NULL ||
            (h->value != NULL && strpbrk(h->value, "\r\n") != NULL))
            abort();
    }
    if (r->total_timeout_ms < 1 || r->total_timeout_ms > 86400000 || r->connect_timeout_ms < 1 ||
        r->max_redirects < 0 || r->max_redirects > 100 || r->max_body_bytes < 0)
        abort();
}

#endif
