/*
 * redirect_origin.h - what the tests of redirects share: two origins that send a fetch on.
 */
#ifndef SUPPORT_REDIRECT_ORIGIN_H
#define SUPPORT_REDIRECT_ORIGIN_H

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct test_origin near, far; /* 127.0.0.1 and 127.0.0.2 */
static struct curlew *c;
static struct failure err;
static char first[65536], last[65536]; /* heads: of the first request, and of the one to /end */
static char last_body[1024];
static const char *location; /* of /go */
static char field[8192];

/* /go?STATUS redirects so to the location; /N goes on to /N-1, down to /end. */
static inline void
serve(struct seen_request *x)
{
    int status = strncmp(x->target, "/go?", 4) == 0 ? atoi(x->target + 4) : 302;
    char next[32];

    if (origin_is(x, "/end")) {
        snprintf(last, sizeof last, "%s", x->head);
        snprintf(last_body, sizeof last_body, "%s", x->body);
        origin_reply(x, 200, "X-End: 1\r\n", "the end");
    } else if (origin_is(x, "/back")) {
        snprintf(field, sizeof field, "Location: %s/end\r\n", near.url);
        origin_reply(x, 302, field, "");
    } else if (strncmp(x->target, "/go", 3) == 0) {
        snprintf(first, sizeof first, "%s", x->head);
        snprintf(field, sizeof field, "Location: %s\r\nX-Hop: 1\r\n", location);
        origin_reply(x, status, field, "a body on the way");
    } else {
        snprintf(next, sizeof next, "Location: /%d\r\n", atoi(x->target + 1) - 1);
        origin_reply(x, 302, atoi(x->target + 1) == 1 ? "Location: end\r\n" : next, "");
    }
}

static inline void
setup(void)
{
    origin_start(&near, "127.0.0.1", serve);
    origin_start(&far, "127.0.0.2", serve);
    c = runner_default_engine();
}

static inline void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

static inline struct curlew_fetch *
go(int status)
{
    return runner_fetch("%s/go?%d", near.url, status);
}

static inline struct curlew_fetch *
run(struct curlew_fetch *f)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    return f;
}

static inline bool
said(const char *head, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

static inline void
to_far_end(void)
{
    static char url[128];

    snprintf(url, sizeof url, "%s/end", far.url);
    location = url;
}

#endif
