/* test_router.c - which route a request is for: the end of its path decides. */

#include "routes/router.h"

#include "routes/auth.h"
#include "routes/cross_site.h"
#include "routes/route_context.h"
#include "routes/route_fetch.h"
#include "routes/route_fetches.h"
#include "routes/route_health.h"
#include "routes/route_metrics.h"
#include "routes/route_status.h"
#include "support/codec_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef"

static struct codec_fixture t;
static struct auth auth;
static struct cross_site cross_site;
static struct route_context routes = { .auth = &auth, .cross_site = &cross_site };
static struct fcgi_server server = { .handler_data = &routes };
static struct exchange x;
static const struct route *route; /* of the last request */
static struct failure err;

static void
setup(void)
{
    codec_fixture_open(&t);
    auth_init(&auth);
    cross_site_init(&cross_site);
    exchange_init(&x);
    x.server = &server;
}

static void
teardown(void)
{
    exchange_reset(&x);
    auth_destroy(&auth);
    cross_site_destroy(&cross_site);
    codec_fixture_close(&t);
}

TestSuite(router, .init = setup, .fini = teardown, .timeout = 10);

/* Of a request with these parameters: 0 with a route, or the error. */
static enum error
find(const char *const *params)
{
    libfcgi_codec_free(t.codec);
    buffer_clear(&t.in);
    t.codec = libfcgi_codec_new(&t.in, &t.out);
    codec_fixture_accept(&t, params);
    exchange_reset(&x);
    x.codec = t.codec;
    err = (struct failure){ 0 };
    route = router_find(&x, &err);
    cr_assert_eq(route != NULL, err.error == ERROR_NONE);
    return err.error;
}

#define FIND(...) find((const char *const[]){ __VA_ARGS__, NULL })
#define GET       "REQUEST_METHOD", "GET"

static void
leads_to(const char *script, const char *path, void (*on_request)(struct exchange *x))
{
    cr_assert_eq(FIND(GET, "SCRIPT_NAME", script, "PATH_INFO", path), ERROR_NONE, "%s%s", script,
                 path);
    cr_assert_eq(route->on_request, on_request, "%s%s", script, path);
}

static void
leads_nowhere(const char *script, const char *path)
{
    cr_assert_eq(FIND(GET, "SCRIPT_NAME", script, "PATH_INFO", path), ERROR_NOT_FOUND, "%s%s",
                 script, path);
    cr_assert_null(route);
}

/* -- paths --------------------------------------------------------------- */

Test(router, every_route_answers_under_any_prefix)
{
    leads_to("/v1/fetch", "", route_fetch_on_request);
    leads_to("/_fetch/v1/fetch", "", route_fetch_on_request);
    leads_to("", "/v1/fetch", route_fetch_on_request);
    leads_to("/any/where", "/v1/fetch", route_fetch_on_request);
    leads_to("/x/v1", "/fetch", route_fetch_on_request);
    leads_to("/x", "/healthz", route_health_on_request);
    leads_to("/x", "/metrics", route_metrics_on_request);
    leads_to("/x", "/status", route_status_on_page);
    leads_to("/x", "/v1/status", route_status_on_request);
    leads_to("/x", "/v1/fetches", route_fetches_on_request);
}

Test(router, half_a_name_is_no_route)
{
    leads_nowhere("", "");
    leads_nowhere("/", "");
    leads_nowhere("", "/xv1/fetch");
    leads_nowhere("", "/v1/fetchx");
    leads_nowhere("", "/v1/fetch/");
    leads_nowhere("", "v1/fetch");
    leads_nowhere("", "/fetch");
    leads_nowhere("", "/V1/FETCH");
    leads_nowhere("", "/unhealthz");
    leads_nowhere("", "/healthz/x");
    leads_nowhere("", "/v1%2Ffetch");
}

Test(router, where_script_and_path_are_empty_the_document_URI_counts)
{
    cr_assert_eq(FIND(GET, "DOCUMENT_URI", "/x/healthz"), ERROR_NONE);
    cr_assert_eq(route->on_request, route_health_on_request);
    cr_assert_eq(FIND(GET, "SCRIPT_NAME", "", "PATH_INFO", "", "DOCUMENT_URI", "/x/healthz"),
                 ERROR_NONE);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/x/metrics", "DOCUMENT_URI", "/x/healthz"), ERROR_NONE);
    cr_assert_eq(route->on_request, route_metrics_on_request);
}

Test(router, a_path_of_many_bytes_is_looked_at_whole)
{
    char *path = calloc(1, 200001);

    memset(path, '/', 199991);
    strcpy(path + 199991, "v1/fetch");
    cr_assert_eq(FIND(GET, "PATH_INFO", path), ERROR_NONE);
    path[199990] = 'x';
    cr_assert_eq(FIND(GET, "PATH_INFO", path), ERROR_NOT_FOUND);
    cr_assert_lt(strlen(err.detail), 200, "it is not quoted whole");
    free(path);
}

/* -- methods ------------------------------------------------------------- */

static void
takes(const char *path, const char *method, bool wanted)
{
    enum error e = FIND("REQUEST_METHOD", method, "PATH_INFO", path);

    cr_assert_eq(e, wanted ? ERROR_NONE : ERROR_METHOD_NOT_ALLOWED, "%s %s", method, path);
    cr_assert_eq(x.head.len > 0, !wanted);
}

Test(router, each_route_takes_its_methods_alone)
{
    takes("/v1/fetch", "GET", true);
    takes("/v1/fetch", "POST", true);
    takes("/v1/fetch", "HEAD", false);
    cr_assert_str_eq(x.head.data, "Allow: GET, POST\r\n");
    takes("/v1/fetch", "PUT", false);
    takes("/metrics", "GET", true);
    takes("/metrics", "HEAD", true);
    takes("/metrics", "POST", false);
    cr_assert_str_eq(x.head.data, "Allow: GET, HEAD\r\n");
}

Test(router, what_only_looks_like_a_method_is_none)
{
    takes("/v1/fetch", "", false);
    takes("/v1/fetch", "G", false);
    takes("/v1/fetch", "ET", false);
    takes("/v1/fetch", "get", false);
    takes("/v1/fetch", "POS", false);
    takes("/v1/fetch", "OST", false);
    takes("/v1/fetch", ",", false);
    takes("/v1/fetch", " ", false);
    takes("/v1/fetch", " POST", false);
    takes("/v1/fetch", "GET,", false);
    takes("/v1/fetch", "GET, POST", false);
}

Test(router, without_a_method_it_is_a_get)
{
    cr_assert_eq(FIND("PATH_INFO", "/healthz"), ERROR_NONE);
}

/* -- tokens -------------------------------------------------------------- */

static void
ask_for_tokens(void)
{
    char path[] = "/tmp/curlew-tokens-XXXXXX";
    int fd = mkstemp(path);

    cr_assert_eq(write(fd, TOKEN "\n", 17), 17);
    close(fd);
    cr_assert_eq(auth_load(&auth, path, &err), 0, "%s", err.detail);
    unlink(path);
}

Test(router, a_token_is_asked_for_everywhere_but_at_healthz_and_the_page_that_asks_for_it)
{
    ask_for_tokens();
    cr_assert_eq(FIND(GET, "PATH_INFO", "/healthz"), ERROR_NONE);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/metrics"), ERROR_UNAUTHORIZED);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/status"), ERROR_NONE);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/v1/status"), ERROR_UNAUTHORIZED);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/v1/fetch"), ERROR_UNAUTHORIZED);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/v1/fetch", "HTTP_AUTHORIZATION", "Bearer " TOKEN),
                 ERROR_NONE);
    cr_assert_eq(FIND(GET, "PATH_INFO", "/v1/fetch", "HTTP_AUTHORIZATION", "Bearer x" TOKEN),
                 ERROR_UNAUTHORIZED);
}

/* -- pages of other sites ------------------------------------------------- */

static enum error
find_from_elsewhere(const char *method, const char *path)
{
    return FIND("REQUEST_METHOD", method, "PATH_INFO", path, "HTTP_SEC_FETCH_SITE", "cross-site");
}

Test(router, pages_of_other_sites_reach_no_route_that_acts)
{
    cr_assert_eq(find_from_elsewhere("GET", "/v1/fetch"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("POST", "/v1/fetch"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("GET", "/v1/stream"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("POST", "/v1/batch"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("POST", "/v1/handoffs"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("GET", "/v1/sessions"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("PUT", "/v1/sessions/a"), ERROR_FORBIDDEN);
    cr_assert_eq(find_from_elsewhere("POST", "/v1/sessions/a/reset"), ERROR_FORBIDDEN);
    cr_assert_null(route);
}

Test(router, they_may_look_at_what_only_shows)
{
    cr_assert_eq(find_from_elsewhere("GET", "/status"), ERROR_NONE);
    cr_assert_eq(find_from_elsewhere("GET", "/v1/status"), ERROR_NONE);
    cr_assert_eq(find_from_elsewhere("GET", "/metrics"), ERROR_NONE);
    cr_assert_eq(find_from_elsewhere("GET", "/healthz"), ERROR_NONE);
}
