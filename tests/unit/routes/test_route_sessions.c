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

static void
request(const char *method, const char *name, const char *body)
{
    exchange_reset(&t.x);
    t.codec.in.len = 0;
    libfcgi_codec_free(t.codec.codec);
    t.x.codec = t.codec.codec = libfcgi_codec_new(&t.codec.in, &t.codec.out);
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", method);
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
