/* fuzz_request.c - any bytes as a request object: read, or refused with a reason. */

#include "check.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure why = { 0 };
    struct request r;

    request_init(&r);
    if (request_from_text(&r, (const char *)data, size, &why) == 0)
        check_request(&r);
    else
        check_refusal(&why);
    request_destroy(&r);
    return 0;
}
