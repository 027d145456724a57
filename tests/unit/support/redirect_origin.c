/* redirect_origin.c - origins that send a fetch on. */

#include "support/redirect_origin.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
serve(struct seen_request *x)
{
    int status = strncmp(x->target, "/go?", 4) == 0 ? atoi(x->target + 4) : 302;
    struct redirect_origin *t = x->origin->data;
    char next[32];

    if (origin_is(x, "/end")) {
        snprintf(t->last, sizeof t->last, "%s", x->head);
        snprintf(t->last_body, sizeof t->last_body, "%s", x->body);
        origin_reply(x, 200, "X-End: 1\r\n", "the end");
    } else if (origin_is(x, "/back")) {
        snprintf(t->field, sizeof t->field, "Location: %s/end\r\n", t->near.url);
        origin_reply(x, 302, t->field, "");
    } else if (strncmp(x->target, "/go", 3) == 0) {
        snprintf(t->first, sizeof t->first, "%s", x->head);
        snprintf(t->field, sizeof t->field, "Location: %s\r\nX-Hop: 1\r\n", t->location);
        origin_reply(x, status, t->field, "a body on the way");
    } else {
        snprintf(next, sizeof next, "Location: /%d\r\n", atoi(x->target + 1) - 1);
        origin_reply(x, 302, atoi(x->target + 1) == 1 ? "Location: end\r\n" : next, "");
    }
}

void
redirect_origin_open(struct redirect_origin *t)
{
    origin_start(&t->near, "127.0.0.1", serve);
    origin_start(&t->beside, "127.0.0.1", serve);
    origin_start(&t->far, "127.0.0.2", serve);
    t->near.data = t->beside.data = t->far.data = t;
    t->engine = runner_default_engine();
}

void
redirect_origin_close(struct redirect_origin *t)
{
    curlew_free(t->engine);
    runner_check_leaks();
}

struct curlew_fetch *
redirect_go(const struct redirect_origin *t, int status)
{
    return runner_fetch("%s/go?%d", t->near.url, status);
}

struct curlew_fetch *
redirect_run(struct redirect_origin *t, struct curlew_fetch *f)
{
    runner_do(t->engine, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    return f;
}

bool
redirect_said(const char *head, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

void
redirect_to_far_end(struct redirect_origin *t)
{
    snprintf(t->far_end, sizeof t->far_end, "%s/end", t->far.url);
    t->location = t->far_end;
}
