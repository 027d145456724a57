/* test_route_health.c - GET …/healthz: is the daemon ready for requests? */

#include "routes/route_health.h"

#include "support/route_fixture.h"

#include <criterion/criterion.h>

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

TestSuite(route_health, .init = setup, .fini = teardown, .timeout = 30);

Test(route_health, ready_is_a_200)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    route_health_on_request(&t.x);
    route_fixture_expect(&t, "Status: 200 OK\r\n");
    route_fixture_expect(&t, "\r\n\r\n{\"status\":\"ok\"}");
}

Test(route_health, a_daemon_that_stops_takes_no_new_requests)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "GET");
    t.server.draining = true;
    route_health_on_request(&t.x);
    route_fixture_expect(&t, "Status: 503 ");
    route_fixture_expect(&t, "{\"status\":\"draining\"}");
}
