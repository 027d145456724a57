/* fuzz_query.c - any bytes as a query string: read, or refused with a reason. */

#include "message/request_query.h"

#include "check.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure err = { 0 };
    struct request r;
    char *query = strndup((const char *)data, size);

    if (query == NULL)
        return 0;
    request_init(&r);
    if (request_query_read(&r, query, &err) == 0)
        check_request(&r);
    else
        check_refusal(&err);
    request_destroy(&r);
    free(query);
    return 0;
}
