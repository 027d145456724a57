/* test_route_sessions.c - …/v1/sessions: list, show, create or replace, remove, reset. */

#include "routes/route_sessions.h"

#include "engine/engine.h"
#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_sessions, .init = setup, .fini = teardown, .timeout = 30);

static const char *bearer; /* NULL: none */

static void
request(const char *method, const char *name, const char *body)
{
    exchange_reset(&t.x);
    t.codec.in.len = 0;
    libfcgi_codec_free(t.codec.codec);
    t.x.codec = t.codec.codec = libfcgi_codec_new(&t.codec.in, &t.codec.out);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", method, "HTTP_AUTHORIZATION", bearer != NULL ? bearer : "");
    snprintf(t.x.name, sizeof t.x.name, "%s", name);
    route_fixture_set_body(&t, "%s", body);
    route_sessions_on_request(&t.x);
}

Test(route_sessions, a_session_is_created_replaced_shown_and_removed)
{
    request("PUT", "new", "{\"max_in_flight\":7}");
    route_fixture_expect(&t, "Status: 201 Created");
    request("PUT", "new", "{\"max_in_flight\":8}");
    route_fixture_expect(&t, "Status: 200 OK");
    request("GET", "new", "");
    route_fixture_expect(&t, "\"max_in_flight\":8");
    request("DELETE", "new", "");
    route_fixture_expect(&t, "Status: 204");
    request("GET", "new", "");
    route_fixture_expect(&t, "\"code\":\"unknown_session\"");
}

Test(route_sessions, the_list_has_the_default_session)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_sessions_on_list(&t.x);
    route_fixture_expect(&t, "{\"sessions\":[{\"name\":\"default\"");
}

Test(route_sessions, a_name_of_other_characters_is_refused)
{
    request("PUT", "a b", "{}");
    route_fixture_expect(&t, "Status: 400");
}

Test(route_sessions, what_is_no_session_changes_nothing)
{
    request("PUT", "default", "{\"max_in_flight\":0}");
    route_fixture_expect(&t, "max_in_flight: expected an integer");
    request("DELETE", "default", "");
    route_fixture_expect(&t, "session: \\\"default\\\" cannot be removed, only replaced");
}

Test(route_sessions, a_reset_needs_a_session_that_exists)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    strcpy(t.x.name, "default");
    route_sessions_on_reset(&t.x);
    route_fixture_expect(&t, "Status: 204");
    exchange_reset(&t.x);
    strcpy(t.x.name, "nobody");
    route_sessions_on_reset(&t.x);
    route_fixture_expect(&t, "\"code\":\"unknown_session\"");
}

Test(route_sessions, a_token_is_needed_where_one_is_configured)
{
    route_fixture_ask_for_token(&t);
    request("GET", "default", "");
    route_fixture_expect(&t, "Status: 401");
}

/* -- tokens for certain sessions --------------------------------------------- */

#define ALL  "0123456789abcdef"
#define SHOP "fedcba9876543210"

static void
as(const char *authorization)
{
    route_fixture_set_tokens(&t, ALL "\n" SHOP " shop own\n");
    bearer = authorization;
}

Test(route_sessions, a_limited_token_stays_within_what_an_operator_has_set)
{
    as("Bearer " ALL);
    request("PUT", "shop", "{\"max_in_flight\":7,\"headers\":{\"X-Key\":\"s3cret\"}}");
    as("Bearer " SHOP);
    request("PUT", "shop", "{\"max_in_flight\":8}");
    route_fixture_expect(&t, "Status: 403");
    route_fixture_expect(&t, "max_in_flight: with this token at most 7");
    request("PUT", "shop", "{\"max_in_flight\":6,\"headers\":{\"X-Key\":\"***\"}}");
    route_fixture_expect(&t, "Status: 200");
    request("PUT", "shop", "{}");
    route_fixture_expect(&t, "\"max_in_flight\":7");
    request("PUT", "shop", "{\"max_in_flight\":8}");
    route_fixture_expect(&t, "Status: 403");
}

Test(route_sessions, a_limited_token_removes_only_what_it_has_made)
{
    as("Bearer " ALL);
    request("PUT", "shop", "{}");
    as("Bearer " SHOP);
    request("PUT", "shop", "{\"tag\":\"mine\"}");
    request("DELETE", "shop", "");
    route_fixture_expect(&t, "Status: 403");
    request("PUT", "own", "{}");
    route_fixture_expect(&t, "Status: 201");
    request("PUT", "own", "{\"max_in_flight\":2049}");
    route_fixture_expect(&t, "Status: 403");
    request("DELETE", "own", "");
    route_fixture_expect(&t, "Status: 204");
    request("DELETE", "own", "");
    route_fixture_expect(&t, "Status: 404");
    as("Bearer " ALL);
    request("DELETE", "shop", "");
    route_fixture_expect(&t, "Status: 204");
}

Test(route_sessions, what_an_operator_has_written_is_no_longer_the_tokens_own)
{
    as("Bearer " SHOP);
    request("PUT", "own", "{}");
    as("Bearer " ALL);
    request("PUT", "own", "{\"max_in_flight\":3}");
    as("Bearer " SHOP);
    request("DELETE", "own", "");
    route_fixture_expect(&t, "Status: 403");
    request("PUT", "own", "{\"max_in_flight\":4}");
    route_fixture_expect(&t, "Status: 403");
}

Test(route_sessions, sessions_of_others_are_unknown_to_a_limited_token)
{
    static const char *const methods[] = { "GET", "PUT", "DELETE" };

    as("Bearer " SHOP);
    for (size_t i = 0; i < 3; i++) {
        request(methods[i], "default", "{}");
        route_fixture_expect(&t, "\"code\":\"unknown_session\"");
    }
}
