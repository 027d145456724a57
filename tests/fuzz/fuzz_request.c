/* fuzz_request.c - any bytes as a request object: read, or refused with a reason. */

#include "check.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure err = { 0 };
    struct request r;

    request_init(&r);
    if (request_json_parse(&r, (const char *)data, size, &err) == 0)
        check_request(&r);
    else
        check_refusal(&err);
    request_destroy(&r);
    return 0;
}
