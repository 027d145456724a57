/*
 * echo_origin.h - what the tests of the transfer share: an origin that notes what it is sent.
 */
#ifndef SUPPORT_ECHO_ORIGIN_H
#define SUPPORT_ECHO_ORIGIN_H

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_origin o;
static struct curlew *c;
static struct failure err;
static char head[1 << 16], body[1 << 16]; /* of the last request */

static inline void
note_and_answer(struct seen_request *x)
{
    snprintf(head, sizeof head, "%s", x->head);
    snprintf(body, sizeof body, "%s", x->body);
    if (origin_is(x, "/cut")) {
        origin_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour");
        x->close = true;
    } else if (origin_is(x, "/cut-chunk")) {
        origin_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n");
        x->close = true;
    } else if (origin_is(x, "/nothing")) {
        x->close = true;
    } else if (origin_is(x, "/no-http")) {
        origin_say(x, "220 mail.example ESMTP\r\n");
        x->close = true;
    } else if (origin_is(x, "/until-close")) {
        origin_say(x, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
        x->close = true;
    } else if (origin_is(x, "/no-gzip")) {
        origin_reply(x, 200, "Content-Encoding: gzip\r\n", "this is no gzip");
    } else {
        origin_reply(x, 200, "", "hello");
    }
}

static inline void
setup(void)
{
    origin_start(&o, "127.0.0.1", note_and_answer);
    c = runner_default_engine();
}

static inline void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

static inline struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static inline void
succeeds(struct curlew_fetch *f)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
}

static inline void
fails(const char *path, const char *code)
{
    struct curlew_fetch *f = runner_do(c, to(path));

    cr_assert_str_eq(runner_code(f), code, "%s: %s", path, curlew_fetch_detail(f));
    curlew_fetch_free(f);
}

static inline bool
sent(const char *line)
{
    char wanted[1024];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

static inline bool
sent_any(const char *name)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    return strcasestr(head, wanted) != NULL;
}

static inline bool
asked(const char *line)
{
    return strncmp(head, line, strlen(line)) == 0;
}

static inline void
add_header(struct curlew_fetch *f, const char *name, const char *value)
{
    cr_assert_eq(request_add_header(&f->request, name, value, &err), 0);
}

static inline void
set_body(struct curlew_fetch *f, const char *text)
{
    cr_assert_eq(curlew_fetch_set_body(f, text, strlen(text), NULL), 0);
}

static inline void
set_method(struct curlew_fetch *f, const char *method)
{
    cr_assert_eq(curlew_fetch_set_method(f, method), 0);
}

#endif
