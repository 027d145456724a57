/* test_connection_options.c - the connection of a hop: proxy, TLS, HTTP version. */

#include "transfer/connection_options.h"

#include "libcurl/curl_features.h"
#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct test_origin o; /* as a proxy, too */
static struct curlew *c;
static char head[4096]; /* of the last request */

static void
serve(struct seen_request *x)
{
    snprintf(head, sizeof head, "%s", x->head);
    origin_reply(x, 200, "", "ok");
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
    c = runner_default_engine();
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(connection_options, .init = setup, .fini = teardown, .timeout = 60);

static void
succeeds(struct curlew_fetch *f)
{
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    curlew_fetch_free(f);
}

Test(connection_options, a_proxy_gets_the_whole_url_and_its_credentials)
{
    struct curlew_fetch *f = runner_fetch("http://127.0.0.1:1/x");

    f->request.proxy = strdup(o.url);
    f->request.proxy_auth.user = strdup("u");
    f->request.proxy_auth.password = strdup("p");
    succeeds(f);
    cr_assert_eq(strncmp(head, "GET http://127.0.0.1:1/x HTTP/1.1\r\n", 35), 0, "%s", head);
    cr_assert_not_null(strstr(head, "\r\nProxy-Authorization: Basic dTpw\r\n"), "%s", head);
}

Test(connection_options, a_proxy_without_credentials_gets_none)
{
    struct curlew_fetch *f = runner_fetch("http://127.0.0.1:1/x");

    f->request.proxy = strdup(o.url);
    succeeds(f);
    cr_assert_null(strcasestr(head, "proxy-authorization"), "%s", head);
}

Test(connection_options, http_1_1_is_asked_for_without_an_upgrade)
{
    struct curlew_fetch *f = runner_fetch("%s/", o.url);

    f->request.http_version = HTTP_1_1;
    f->request.set |= SET_HTTP_VERSION;
    succeeds(f);
    cr_assert_not_null(strstr(head, " HTTP/1.1\r\n"));
    cr_assert_null(strcasestr(head, "\r\nupgrade:"), "%s", head);
}

Test(connection_options, http_3_without_a_libcurl_that_has_it_is_unsupported)
{
    struct curlew_fetch *f = runner_fetch("https://127.0.0.1:1/");

    f->request.http_version = HTTP_3;
    f->request.set |= SET_HTTP_VERSION;
    runner_do(c, f);
    cr_assert_eq(strcmp(runner_code(f), "unsupported") == 0, !curl_features_has_http3(), "%s",
                 curlew_fetch_detail(f));
    curlew_fetch_free(f);
}
