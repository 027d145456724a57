/* fuzz_batch.c - any bytes as a batch: refused with a reason, or read, one request at a time. */

#include "check.h"
#include "message/batch.h"

static void
check_one(struct batch *b, size_t i)
{
    struct failure err = { 0 };
    struct request r;

    request_init(&r);
    if (batch_read(b, i, &r, &err) == 0)
        check_request(&r);
    else
        check_refusal(&err);
    if (r.tag != NULL && !utf8_valid(r.tag, strlen(r.tag)))
        abort();
    request_destroy(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure err = { 0 };
    struct batch *b = batch_from_text((const char *)data, size, &REQUEST_LIMITS_DEFAULT, &err);

    if (b == NULL) {
        check_refusal(&err);
        return 0;
    }
    if (batch_count(b) > BATCH_REQUESTS_MAX || batch_parallel(b) < 1 ||
        batch_parallel(b) > BATCH_PARALLEL_MAX)
        abort();
    for (size_t i = 0; i < batch_count(b); i++)
        check_one(b, i);
    batch_free(b);
    return 0;
}
