/* route_fixture.c - an exchange as a route sees it, and a worker whose inbox the test reads. */

#include "support/route_fixture.h"

#include "engine/engine.h"
#include "routes/handoff_store.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
serve(struct seen_request *x)
{
    struct route_fixture *t = container_of(x->origin, struct route_fixture, origin);

    snprintf(t->head, sizeof t->head, "%s", x->head);
    if (origin_is(x, "/hold"))
        origin_hold(x);
    origin_reply(x, 200, "Content-Type: text/plain\r\n", "ok");
}

void
route_fixture_open(struct route_fixture *t)
{
    codec_fixture_open(&t->codec);
    origin_start(&t->origin, "127.0.0.1", serve);
    auth_init(&t->auth);
    cross_site_init(&t->cross_site);
    t->routes.cross_site = &t->cross_site;
    t->routes.auth = &t->auth;
    t->routes.handoff_store = handoff_store_new();
    t->server.handler_data = &t->routes;
    t->server.engine = runner_default_engine();
    cr_assert_eq(loop_init(&t->worker.loop), 0);
    mailbox_init(&t->worker.inbox);
    exchange_init(&t->x);
    t->x.server = &t->server;
    t->x.worker = &t->worker;
    t->x.codec = t->codec.codec;
    buffer_init(&t->response, 1 << 24);
}

void
route_fixture_close(struct route_fixture *t)
{
    exchange_destroy(&t->x);
    curlew_free(t->server.engine);
    mailbox_destroy(&t->worker.inbox);
    loop_destroy(&t->worker.loop);
    handoff_store_free(t->routes.handoff_store);
    auth_destroy(&t->auth);
    cross_site_destroy(&t->cross_site);
    buffer_free(&t->response);
    codec_fixture_close(&t->codec);
    runner_check_leaks();
}

void
route_fixture_ask_for_token(struct route_fixture *t)
{
    route_fixture_set_tokens(t, ROUTE_FIXTURE_TOKEN "\n");
}

void
route_fixture_set_tokens(struct route_fixture *t, const char *text)
{
    char path[] = "/tmp/curlew-tokens-XXXXXX";
    struct failure err = { 0 };
    int fd = mkstemp(path);

    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    cr_assert_eq(auth_load(&t->auth, path, &err), 0, "%s", err.detail);
    unlink(path);
}

void
route_fixture_set_body(struct route_fixture *t, const char *format, ...)
{
    char text[4096];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    buffer_clear(&t->x.body);
    buffer_adds(&t->x.body, text);
}

static void
on_mail(struct exchange *x, struct mail *mail)
{
    struct curlew_fetch *f;

    if (mail->about == FETCH_NOTICE) {
        body_pipe_ack_notify(container_of(mail, struct curlew_fetch, notice)->pipe);
        return;
    }
    f = container_of(mail, struct curlew_fetch, mail);
    exchange_fetch_ended(x);
    x->ops->on_fetch_done(x, f);
}

void
route_fixture_await(struct route_fixture *t)
{
    while (t->x.in_flight > 0) {
        struct mail *next;

        for (struct mail *mail = mailbox_take(&t->worker.inbox); mail != NULL; mail = next) {
            next = mail->next;
            on_mail(&t->x, mail);
        }
        usleep(1000);
    }
}

const char *
route_fixture_response(struct route_fixture *t)
{
    const char *bytes;
    size_t n = exchange_next(&t->x, &bytes, SIZE_MAX);

    if (n > 0)
        buffer_clear(&t->response);
    for (; n > 0; n = exchange_next(&t->x, &bytes, SIZE_MAX))
        buffer_add(&t->response, bytes, n);
    return t->response.len > 0 ? t->response.data : "";
}

void
route_fixture_expect(struct route_fixture *t, const char *text)
{
    const char *response = route_fixture_response(t);

    cr_assert_not_null(strstr(response, text), "%s is not in %s", text, response);
}
