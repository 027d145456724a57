/* test_request_auth.c - the keys auth, proxy and proxy_auth of a request object. */

#include "message/request_auth.h"

#include "support/request_fixture.h"

TestSuite(request_auth, .init = setup, .fini = teardown);

Test(request_auth, auth_is_one_of_three)
{
    takes("{" URL ",\"auth\":{\"basic\":[\"u\",\"p:w\"]}}");
    cr_assert_eq(r.auth, AUTH_BASIC);
    cr_assert_str_eq(r.auth_pair.user, "u");
    cr_assert_str_eq(r.auth_pair.password, "p:w");
    takes("{" URL ",\"auth\":{\"digest\":[\"\",\"\"]}}");
    cr_assert_eq(r.auth, AUTH_DIGEST);
    takes("{" URL ",\"auth\":{\"bearer\":\"t\"}}");
    cr_assert_eq(r.auth, AUTH_BEARER);
    cr_assert_str_eq(r.auth_token, "t");
    cr_assert_eq(r.set, SET_AUTH);
}

Test(request_auth, any_other_auth_is_refused)
{
    static const char expected[] = "auth: expected {\"basic\": [user, password]}, "
                                   "{\"digest\": [user, password]} or {\"bearer\": token}";

    refuses("{" URL ",\"auth\":{}}", expected);
    refuses("{" URL ",\"auth\":[\"u\",\"p\"]}", expected);
    refuses("{" URL ",\"auth\":{\"none\":1}}", expected);
    refuses("{" URL ",\"auth\":{\"bearer\":\"t\",\"basic\":[\"u\",\"p\"]}}", expected);
    refuses("{" URL ",\"auth\":{\"basic\":[\"u\"]}}", "auth.basic: expected [user, password]");
    refuses("{" URL ",\"auth\":{\"basic\":[\"u\",1]}}", "auth.basic[1]: expected a string");
    refuses("{" URL ",\"auth\":{\"basic\":[\"a:b\",\"\"]}}",
            "auth.basic[0]: a user name cannot contain a colon");
    refuses("{" URL ",\"auth\":{\"bearer\":\"\"}}", "auth.bearer: expected a token");
    refuses("{" URL ",\"auth\":{\"bearer\":\"a\\r\\nX: y\"}}",
            "auth.bearer: must not contain control characters");
    refuses("{" URL ",\"auth\":{\"digest\":[\"a\\n\",\"b\"]}}",
            "auth.digest[0]: must not contain control characters");
}

Test(request_auth, a_proxy_is_a_url_of_six_schemes)
{
    takes("{" URL ",\"proxy\":\"HTTP://p:3128\",\"proxy_auth\":[\"u\",\"p\"]}");
    cr_assert_str_eq(r.proxy, "HTTP://p:3128");
    cr_assert_str_eq(r.proxy_auth.user, "u");
    cr_assert_str_eq(r.proxy_auth.password, "p");
    takes("{" URL ",\"proxy\":\"https://p\"}");
    takes("{" URL ",\"proxy\":\"socks5://p\"}");
    takes("{" URL ",\"proxy\":\"Socks4://p\"}");
    takes("{" URL ",\"proxy\":\"socks4a://p\"}");

    refuses("{" URL ",\"proxy\":\"p:3128\"}",
            "proxy: expected an http, https, socks4, socks4a, socks5 or socks5h URL");
    refuses("{" URL ",\"proxy\":\"socks6://p\"}",
            "proxy: expected an http, https, socks4, socks4a, socks5 or socks5h URL");
    refuses("{" URL ",\"proxy\":\"http://\"}",
            "proxy: expected an http, https, socks4, socks4a, socks5 or socks5h URL");
    refuses("{" URL ",\"proxy_auth\":\"u:p\"}", "proxy_auth: expected [user, password]");
}
