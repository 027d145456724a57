/* test_redirect_secret.c - what a redirect to another origin must not take along. */

#include "support/redirect_origin.h"

TestSuite(redirect_secret, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
with_secrets(struct curlew_fetch *f)
{
    const struct cookie own = { .name = (char *)"own", .value = (char *)"1" };

    cr_assert_eq(request_add_header(&f->request, "Authorization", "Custom secret", &err), 0);
    cr_assert_eq(request_add_header(&f->request, "authorization", "Custom other", &err), 0);
    cr_assert_eq(request_add_header(&f->request, "Proxy-Authorization", "Custom secret", &err), 0);
    cr_assert_eq(request_add_header(&f->request, "Cookie", "header=secret", &err), 0);
    cr_assert_eq(request_add_header(&f->request, "Host", "named.example", &err), 0);
    cr_assert_eq(request_add_header(&f->request, "X-Other", "kept", &err), 0);
    cr_assert_eq(request_add_cookie(&f->request, &own, &err), 0);
    return f;
}

Test(redirect_secret, secrets_stay_with_the_origin_they_were_given_for)
{
    struct curlew_fetch *f = with_secrets(go(307));

    to_far_end();
    run(f);
    cr_assert_not_null(strcasestr(first, "\r\nAuthorization: Custom secret"));
    cr_assert_null(strcasestr(last, "secret"), "%s", last);
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    cr_assert_null(strcasestr(last, "cookie"), "%s", last);
    cr_assert_null(strcasestr(last, "named.example"), "%s", last);
    cr_assert(said(last, "X-Other: kept"));
    curlew_fetch_free(f);
}

Test(redirect_secret, secrets_go_along_within_the_origin)
{
    struct curlew_fetch *f = with_secrets(go(307));

    location = "/end";
    run(f);
    cr_assert(said(last, "Authorization: Custom secret"), "%s", last);
    cr_assert(said(last, "Host: named.example"), "%s", last);
    cr_assert_not_null(strstr(last, "header=secret"), "%s", last);
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
        struct curlew_fetch *f = go(302);

        to_far_end();
        set_auth(f, kind);
        run(f);
        cr_assert_null(strcasestr(last, "authorization"), "%s", last);
        curlew_fetch_free(f);
    }
}

Test(redirect_secret, another_port_is_another_origin)
{
    struct curlew_fetch *f = go(302);
    static struct test_origin beside;
    char url[128];

    origin_start(&beside, "127.0.0.1", serve);
    snprintf(url, sizeof url, "%s/end", beside.url);
    location = url;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    curlew_fetch_free(f);
}

Test(redirect_secret, secrets_do_not_come_back_by_way_of_another_origin)
{
    struct curlew_fetch *f = go(302);
    char there[128];

    snprintf(there, sizeof there, "%s/back", far.url); /* which leads to /end, here */
    location = there;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert_str_eq(f->response.history[1].url, there);
    cr_assert_eq(strncmp(f->response.head.url, near.url, strlen(near.url)), 0);
    cr_assert(said(first, "Authorization: Basic dXNlcjpwYXNz"));
    cr_assert_null(strcasestr(last, "authorization"), "%s", last);
    curlew_fetch_free(f);
}

Test(redirect_secret, credentials_in_a_location_go_to_that_place_alone)
{
    struct curlew_fetch *f = go(302);
    char url[128];

    snprintf(url, sizeof url, "http://there:there@127.0.0.2:%d/end", far.port);
    location = url;
    set_auth(f, AUTH_BASIC);
    run(f);
    cr_assert(said(last, "Authorization: Basic dGhlcmU6dGhlcmU="), "%s", last);
    cr_assert_null(strstr(f->response.head.url, "there:"), "%s", f->response.head.url);
    curlew_fetch_free(f);
}
