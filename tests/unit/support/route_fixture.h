/*
 * route_fixture.h - an exchange as a route sees it: its parameters, an engine, and a worker whose
 * inbox the test reads.
 */
#ifndef SUPPORT_ROUTE_FIXTURE_H
#define SUPPORT_ROUTE_FIXTURE_H

#include "fastcgi/exchange.h"
#include "routes/auth.h"
#include "routes/cross_site.h"
#include "routes/route_context.h"
#include "support/codec_fixture.h"
#include "support/origin.h"

#define ROUTE_FIXTURE_TOKEN "0123456789abcdef"

struct route_fixture {
    struct test_origin origin; /* says ok, and holds /hold */
    struct codec_fixture codec;
    struct auth auth;
    struct cross_site cross_site;
    struct route_context routes;
    struct fcgi_server server;
    struct fcgi_worker worker;
    struct exchange x;
    struct buffer response;
    char head[4096]; /* of the last request that the origin got */
};

void route_fixture_open(struct route_fixture *t);
void route_fixture_close(struct route_fixture *t);

/* From now on one token is asked for, ROUTE_FIXTURE_TOKEN. */
void route_fixture_ask_for_token(struct route_fixture *t);

/* The tokens of this file's text are. */
void route_fixture_set_tokens(struct route_fixture *t, const char *text);

/* The request's parameters. */
#define ROUTE_ACCEPT(t, ...) CODEC_ACCEPT(&(t)->codec, __VA_ARGS__)

/* The request's body. */
void route_fixture_set_body(struct route_fixture *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Until no fetch of the exchange is in flight, calling its ops as the server does. */
void route_fixture_await(struct route_fixture *t);

/* What the exchange has to send now; where that is nothing, what it had to send before. */
const char *route_fixture_response(struct route_fixture *t);

/* That response has this text in it. */
void route_fixture_expect(struct route_fixture *t, const char *text);

#endif
