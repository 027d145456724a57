/* route_fetch.c - POST and GET …/v1/fetch: one fetch, answered by one envelope. */

#include "routes/fetch_response.h"
#include "routes/routes.h"
#include "routes/submit.h"

void
route_fetch_on_request(struct exchange *x)
{
    fetch_response_choose_format(x);
    submit_fetch(x);
}

void
route_fetch_on_fetch_done(struct exchange *x, struct curlew_fetch *f)
{
    struct failure err = f->failure;

    if (err.error == ERROR_NONE && fetch_response_write(x) != 0)
        failure_no_memory(&err);
    if (err.error != ERROR_NONE)
        exchange_fail(x, &err);
    else
        exchange_respond(x, 200, x->frames ? FETCH_RESPONSE_FRAMES : "application/json");
}
