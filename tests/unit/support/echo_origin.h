/*
 * echo_origin.h - what the tests of the transfer share: an origin that notes what it is sent.
 */
#ifndef SUPPORT_ECHO_ORIGIN_H
#define SUPPORT_ECHO_ORIGIN_H

#include "engine/engine.h"
#include "support/origin.h"
#include "support/runner.h"

struct echo_origin {
    struct test_origin origin;
    struct curlew *engine;
    struct failure err;
    char head[1 << 16], body[1 << 16]; /* of the last request */
};

void echo_origin_open(struct echo_origin *t);
void echo_origin_close(struct echo_origin *t);

struct curlew_fetch *echo_fetch(const struct echo_origin *t, const char *path);

void echo_succeed(struct echo_origin *t, struct curlew_fetch *f);
void echo_fail(struct echo_origin *t, const char *path, const char *code);

/* Had the last request this header line, a header of this name, this beginning? */
bool echo_got(const struct echo_origin *t, const char *line);
bool echo_got_field(const struct echo_origin *t, const char *name);
bool echo_got_request(const struct echo_origin *t, const char *line);

void echo_add_header(struct echo_origin *t, struct curlew_fetch *f, const char *name,
                     const char *value);
void echo_set_body(struct curlew_fetch *f, const char *text);
void echo_set_method(struct curlew_fetch *f, const char *method);

#endif
