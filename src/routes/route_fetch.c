/* route_fetch.c - POST and GET …/v1/fetch: one fetch, answered by one envelope. */

#include "routes/fetch_response.h"
#include "routes/routes.h"
#include "routes/submit.h"

void
route_fetch_on_request(struct exchange *c)
{
    fetch_response_choose_format(c);
    submit_fetch(c);
}

void
route_fetch_on_fetch_done(struct exchange *c, struct curlew_fetch *f)
{
    struct failure err = f->failure;

    if (err.error == ERROR_NONE && fetch_response_write(c) != 0)
        failure_no_memory(&err);
    if (err.error != ERROR_NONE)
        exchange_fail(c, &err);
    else
        exchange_respond(c, 200, c->frames ? FETCH_RESPONSE_FRAMES : "application/json");
}
