/* test_resend.c - whether a request that was written may be written once more. */

#include "fetch/resend.h"

#include <criterion/criterion.h>

TestSuite(resend);

static enum resend_reason
after(const char *method, int writings, bool wrote_bytes, bool refused)
{
    struct unanswered u = { method, writings, wrote_bytes, refused };

    return resend_decide(&u);
}

Test(resend, a_safe_method_may_go_again_once)
{
    static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "TRACE" };

    for (int i = 0; i < 4; i++) {
        cr_assert_eq(after(safe[i], 1, true, false), RESEND_SAFE_METHOD);
        cr_assert_eq(after(safe[i], 2, true, false), RESEND_FORBIDDEN);
    }
}

Test(resend, any_other_method_may_not)
{
    static const char *const unsafe[] = { "POST",     "PUT", "PATCH", "DELETE", "LINK",
                                          "PROPFIND", "get", "GETX",  "CONNECT" };

    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++)
        cr_assert_eq(after(unsafe[i], 1, true, false), RESEND_FORBIDDEN, "%s", unsafe[i]);
}

Test(resend, what_was_not_processed_may_go_again_once_whatever_its_method)
{
    cr_assert_eq(after("POST", 1, true, true), RESEND_NOT_PROCESSED);
    cr_assert_eq(after("GET", 1, true, true), RESEND_NOT_PROCESSED);
    cr_assert_eq(after("POST", 1, false, false), RESEND_NOT_PROCESSED, "no byte was written");
    cr_assert_eq(after("POST", 2, true, true), RESEND_FORBIDDEN);
    cr_assert_eq(after("POST", 2, false, false), RESEND_FORBIDDEN);
}

Test(resend, each_reason_has_a_word_of_its_own)
{
    cr_assert_str_eq(resend_reason_name(RESEND_NOT_PROCESSED), "not_processed");
    cr_assert_str_eq(resend_reason_name(RESEND_SAFE_METHOD), "safe_method");
}

Test(resend, only_what_came_before_the_request_says_that_nothing_was_sent)
{
    static const enum error unsent[] = { ERROR_BLOCKED,         ERROR_DNS_FAILED,
                                         ERROR_CONNECT_FAILED,  ERROR_TLS_FAILED,
                                         ERROR_CONNECT_TIMEOUT, ERROR_PROXY_FAILED,
                                         ERROR_OVERLOADED };
    int count = 0;

    for (int e = 0; e < ERROR_COUNT; e++)
        count += resend_error_says_unsent((enum error)e);
    for (size_t i = 0; i < sizeof unsent / sizeof unsent[0]; i++)
        cr_assert(resend_error_says_unsent(unsent[i]));
    cr_assert_eq(count, 7);
}
