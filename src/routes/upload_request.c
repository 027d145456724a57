/* upload_request.c - a request whose body follows its request object: an upload. */

#include "routes/upload_request.h"

#include "engine/engine.h"
#include "http/media_type.h"
#include "routes/fetch_response.h"

#include <string.h>

bool
upload_request_is_announced(const struct exchange *x)
{
    const char *type = exchange_param(x, "CONTENT_TYPE");

    return strcmp(exchange_method(x), "POST") == 0 && type != NULL &&
           media_type_is(type, FETCH_RESPONSE_FRAMES);
}

static int64_t
body_max(const struct exchange *x)
{
    struct config_snapshot *config = engine_snapshot(x->server->engine);
    int64_t max = config->limits.upload_bytes;

    config_snapshot_unref(config);
    return max;
}

int
upload_request_open(struct exchange *x, struct failure *err)
{
    const struct request *r = &x->fetch->request;
    struct upload_size size = { r->upload_length, body_max(x) };

    if (!x->uploads)
        return 0;
    if (!r->body_follows)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "body_follows: required with Content-Type: " FETCH_RESPONSE_FRAMES);
    if (size.max > 0 && size.length > size.max)
        return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                           "limits.upload_bytes: the request's body of %lld bytes is over %lld",
                           (long long)size.length, (long long)size.max);
    return exchange_open_upload(x, &size) == 0 ? 0 : failure_no_memory(err);
}
