/* test_route_status.c - GET …/v1/status and …/status: the state, for programs and for people. */

#include "routes/route_status.h"

#include "routes/auth.h"
#include "routes/route_context.h"
#include "support/codec_fixture.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

static struct codec_fixture t;
static struct auth auth;
static struct route_context routes = { .auth = &auth };
static struct fcgi_server server = { .handler_data = &routes };
static struct exchange x;

static void
setup(void)
{
    codec_fixture_open(&t);
    CODEC_ACCEPT(&t);
    auth_init(&auth);
    server.engine = runner_default_engine();
    exchange_init(&x);
    x.server = &server;
    x.codec = t.codec;
}

static void
teardown(void)
{
    exchange_destroy(&x);
    curlew_free(server.engine);
    auth_destroy(&auth);
    codec_fixture_close(&t);
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
    static const char *const keys[] = { "libcurl", "libcurl_file", "jansson",
                                        "http2",   "http3",        "impersonate" };
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

static void
open_page(void)
{
    route_status_on_page(&x);
    buffer_addc(&x.prefix, '\0');
    buffer_addc(&x.head, '\0');
}

static bool
page_has(const char *text)
{
    return strstr(x.prefix.data, text) != NULL;
}

Test(route_status, the_page_is_one_whole_document)
{
    open_page();
    cr_assert_eq(strncmp(x.prefix.data, "<!doctype html>", 15), 0);
    cr_assert(page_has("</html>"));
    cr_assert(page_has("<style>.uplot"));
    cr_assert(page_has("<script>/*! https://github.com/leeoniya/uPlot"));
    cr_assert_not(page_has("<!-- style -->"));
    cr_assert_not(page_has("<!-- script -->"));
}

/* Else the browser would end the script, or the style, there. */
Test(route_status, the_pages_parts_do_not_end_early)
{
    const char *script, *style;

    open_page();
    script = strstr(x.prefix.data, "</script");
    style = strstr(x.prefix.data, "</style");
    cr_assert_null(strstr(script + 1, "</script"));
    cr_assert_null(strstr(style + 1, "</style"));
}

Test(route_status, the_page_allows_nothing_but_its_own_parts)
{
    open_page();
    cr_assert_not_null(strstr(x.head.data, "default-src 'none'; style-src 'sha256-"));
    cr_assert_not_null(strstr(x.head.data, "='; script-src 'sha256-"));
    cr_assert_null(strstr(x.head.data, "unsafe"));
    cr_assert_not_null(strstr(x.head.data, "frame-ancestors 'none'"));
}
