/* route_fetch.c - POST and GET …/v1/fetch: one fetch, answered by one envelope. */

#include "gateway/intake.h"
#include "gateway/result.h"
#include "gateway/routes.h"

void
fetch_serve(struct exchange *c)
{
    result_choose_form(c);
    intake_fetch(c);
}

void
fetch_fetched(struct exchange *c, struct curlew_fetch *f)
{
    struct failure err = f->failure;

    if (err.error == ERROR_NONE && result_write(c) != 0)
        failure_no_memory(&err);
    if (err.error != ERROR_NONE)
        exchange_fail(c, &err);
    else
        exchange_respond(c, 200, c->frames ? RESULT_FRAMES : "application/json");
}
