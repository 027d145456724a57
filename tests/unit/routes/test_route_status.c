/* test_route_status.c - GET …/v1/status and …/status: the state, for programs and for people. */

#include "routes/route_status.h"

#include "support/codec_fixture.h"
#include "support/runner.h"

#include <fcgios.h>
#include <jansson.h>

static struct fcgi_server server;
static struct exchange x;

static void
setup(void)
{
    side_open();
    SIDE_ACCEPT();
    server.engine = runner_default_engine();
    exchange_init(&x);
    x.server = &server;
    x.codec = side;
}

static void
teardown(void)
{
    exchange_destroy(&x);
    curlew_free(server.engine);
    side_close();
    OS_LibShutdown();
    runner_check_leaks();
}

TestSuite(route_status, .init = setup, .fini = teardown, .timeout = 20);

static json_t *
status(void)
{
    json_t *all;

    route_status_on_request(&x);
    all = json_loadb(x.prefix.data, x.prefix.len, 0, NULL);
    cr_assert_not_null(all);
    return all;
}

/* libfcgi has no call that tells its version, so it is not there. */
Test(route_status, only_libraries_that_tell_their_version_are_listed)
{
    static const char *const keys[] = { "libcurl", "jansson", "http2", "http3" };
    json_t *all = status(), *libraries = json_object_get(all, "libraries");

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_assert_not_null(json_object_get(libraries, keys[i]), "%s", keys[i]);
    cr_assert_eq(json_object_size(libraries), sizeof keys / sizeof keys[0]);
    cr_assert_str_eq(json_string_value(json_object_get(libraries, "jansson")),
                     jansson_version_str());
    json_decref(all);
}

Test(route_status, a_drain_shows_in_the_status)
{
    json_t *all = status();

    cr_assert_str_eq(json_string_value(json_object_get(all, "status")), "ok");
    json_decref(all);
    exchange_reset(&x);
    server.draining = true;
    all = status();
    cr_assert_str_eq(json_string_value(json_object_get(all, "status")), "draining");
    json_decref(all);
}
