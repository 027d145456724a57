/* echo_origin.c - an origin that notes what it is sent. */

#include "support/echo_origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
note_and_answer(struct seen_request *x)
{
    struct echo_origin *t = x->origin->data;

    snprintf(t->head, sizeof t->head, "%s", x->head);
    snprintf(t->body, sizeof t->body, "%s", x->body);
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

void
echo_origin_open(struct echo_origin *t)
{
    origin_start(&t->origin, "127.0.0.1", note_and_answer);
    t->origin.data = t;
    t->engine = runner_default_engine();
}

void
echo_origin_close(struct echo_origin *t)
{
    curlew_free(t->engine);
    runner_check_leaks();
}

struct curlew_fetch *
echo_fetch(const struct echo_origin *t, const char *path)
{
    return runner_fetch("%s%s", t->origin.url, path);
}

void
echo_succeed(struct echo_origin *t, struct curlew_fetch *f)
{
    runner_do(t->engine, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
}

void
echo_fail(struct echo_origin *t, const char *path, const char *code)
{
    struct curlew_fetch *f = runner_do(t->engine, echo_fetch(t, path));

    cr_assert_str_eq(runner_code(f), code, "%s: %s", path, curlew_fetch_detail(f));
    cr_assert_neq(f->failure.curl_code, 0);
    curlew_fetch_free(f);
}

bool
echo_got(const struct echo_origin *t, const char *line)
{
    char wanted[1024];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(t->head, wanted) != NULL;
}

bool
echo_got_field(const struct echo_origin *t, const char *name)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    return strcasestr(t->head, wanted) != NULL;
}

bool
echo_got_request(const struct echo_origin *t, const char *line)
{
    return strncmp(t->head, line, strlen(line)) == 0;
}

void
echo_add_header(struct echo_origin *t, struct curlew_fetch *f, const char *name, const char *value)
{
    cr_assert_eq(request_add_header(&f->request, name, value, &t->err), 0);
}

void
echo_set_body(struct curlew_fetch *f, const char *text)
{
    cr_assert_eq(curlew_fetch_set_body(f, text, strlen(text), NULL), 0);
}

void
echo_set_method(struct curlew_fetch *f, const char *method)
{
    cr_assert_eq(curlew_fetch_set_method(f, method), 0);
}
