/*
 * redirect_origin.h - what the tests of redirects share: origins that send a fetch on.
 */
#ifndef SUPPORT_REDIRECT_ORIGIN_H
#define SUPPORT_REDIRECT_ORIGIN_H

#include "engine/engine.h"
#include "support/origin.h"
#include "support/runner.h"

/* /go?STATUS redirects so to the location; /N goes on to /N-1, down to /end. */
struct redirect_origin {
    struct test_origin near, beside, far; /* 127.0.0.1, another port of it, and 127.0.0.2 */
    struct curlew *engine;
    struct failure err;
    char first[65536], last[65536]; /* heads: of the first request, and of the one to /end */
    char last_body[1024];
    const char *location; /* of /go */
    char field[8192];
    char far_end[128]; /* a URL */
};

void redirect_origin_open(struct redirect_origin *t);
void redirect_origin_close(struct redirect_origin *t);

struct curlew_fetch *redirect_go(const struct redirect_origin *t, int status);

/* With success. */
struct curlew_fetch *redirect_run(struct redirect_origin *t, struct curlew_fetch *f);

/* Has the head this line? */
bool redirect_said(const char *head, const char *line);

/* The location is /end of the far origin. */
void redirect_to_far_end(struct redirect_origin *t);

#endif
