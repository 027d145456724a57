/* test_redirect_secret.c - what a redirect to another origin must not take along. */

#include "engine/redirect.h"

#include "support/redirect_origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct redirect_origin t;

static void
setup(void)
{
    redirect_origin_open(&t);
}

static void
teardown(void)
{
    redirect_origin_close(&t);
}

TestSuite(redirect_secret, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
with_secrets(struct curlew_fetch *f)
{
    const struct cookie own = { .name = (char *)"own", .value = (char *)"1" };

    cr_assert_eq(request_add_header(&f->request, "Authorization", "Custom secret", &t.err), 0);
    cr_assert_eq(request_add_header(&f->request, "authorization", "Custom other", &t.err), 0);
    cr_assert_eq(request_add_header(&f->request, "Proxy-Authorization", "Custom secret", &t.err),
                 0);
    cr_assert_eq(request_add_header(&f->request, "Cookie", "header=secret", &t.err), 0);
    cr_assert_eq(request_add_header(&f->request, "Host", "named.example", &t.err), 0);
    cr_assert_eq(request_add_header(&f->request, "X-Other", "kept", &t.err), 0);
    cr_assert_eq(request_add_cookie(&f->request, &own, &t.err), 0);
    return f;
}

Test(redirect_secret, secrets_stay_with_the_origin_they_were_given_for)
{
    struct curlew_fetch *f = with_secrets(redirect_go(&t, 307));

    redirect_to_far_end(&t);
    redirect_run(&t, f);
    cr_assert_not_null(strcasestr(t.first, "\r\nAuthorization: Custom secret"));
    cr_assert_null(strcasestr(t.last, "secret"), "%s", t.last);
    cr_assert_null(strcasestr(t.last, "authorization"), "%s", t.last);
    cr_assert_null(strcasestr(t.last, "cookie"), "%s", t.last);
    cr_assert_null(strcasestr(t.last, "named.example"), "%s", t.last);
    cr_assert(redirect_said(t.last, "X-Other: kept"));
    curlew_fetch_free(f);
}

Test(redirect_secret, secrets_go_along_within_the_origin)
{
    struct curlew_fetch *f = with_secrets(redirect_go(&t, 307));

    t.location = "/end";
    redirect_run(&t, f);
    cr_assert(redirect_said(t.last, "Authorization: Custom secret"), "%s", t.last);
    cr_assert(redirect_said(t.last, "Host: named.example"), "%s", t.last);
    cr_assert_not_null(strstr(t.last, "header=secret"), "%s", t.last);
    curlew_fetch_free(f);
}

static void
set_auth(struct curlew_fetch *f, enum auth_kind kind)
{
    f->request.auth = kind;
    f->request.auth_pair = (struct credentials){ strdup("user"), strdup("pass") };
    f->request.auth_token = strdup("token");
    f->request.set |= SET_AUTH;
}

Test(redirect_secret, basic_and_bearer_stay_with_their_origin)
{
    for (enum auth_kind kind = AUTH_BASIC; kind <= AUTH_BEARER; kind++) {
        struct curlew_fetch *f = redirect_go(&t, 302);

        redirect_to_far_end(&t);
        set_auth(f, kind);
        redirect_run(&t, f);
        cr_assert_null(strcasestr(t.last, "authorization"), "%s", t.last);
        curlew_fetch_free(f);
    }
}

Test(redirect_secret, another_port_is_another_origin)
{
    struct curlew_fetch *f = redirect_go(&t, 302);
    char url[128];

    snprintf(url, sizeof url, "%s/end", t.beside.url);
    t.location = url;
    set_auth(f, AUTH_BASIC);
    redirect_run(&t, f);
    cr_assert_null(strcasestr(t.last, "authorization"), "%s", t.last);
    curlew_fetch_free(f);
}

Test(redirect_secret, secrets_do_not_come_back_by_way_of_another_origin)
{
    struct curlew_fetch *f = redirect_go(&t, 302);
    char there[128];

    snprintf(there, sizeof there, "%s/back", t.far.url); /* which leads to /end, here */
    t.location = there;
    set_auth(f, AUTH_BASIC);
    redirect_run(&t, f);
    cr_assert_str_eq(f->response.history[1].url, there);
    cr_assert_eq(strncmp(f->response.head.url, t.near.url, strlen(t.near.url)), 0);
    cr_assert(redirect_said(t.first, "Authorization: Basic dXNlcjpwYXNz"));
    cr_assert_null(strcasestr(t.last, "authorization"), "%s", t.last);
    curlew_fetch_free(f);
}

Test(redirect_secret, credentials_in_a_location_go_to_that_place_alone)
{
    struct curlew_fetch *f = redirect_go(&t, 302);
    char url[128];

    snprintf(url, sizeof url, "http://there:there@127.0.0.2:%d/end", t.far.port);
    t.location = url;
    set_auth(f, AUTH_BASIC);
    redirect_run(&t, f);
    cr_assert(redirect_said(t.last, "Authorization: Basic dGhlcmU6dGhlcmU="), "%s", t.last);
    cr_assert_null(strstr(f->response.head.url, "there:"), "%s", f->response.head.url);
    curlew_fetch_free(f);
}
