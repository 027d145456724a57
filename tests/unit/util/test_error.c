/* test_error.c - everything that can go wrong with a request, named once. */

#include "util/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, each_has_a_status_a_code_of_its_own_and_a_title)
{
    for (int e = 0; e < ERROR_COUNT; e++) {
        cr_assert_geq(error_status((enum error)e), 200, "error %d", e);
        cr_assert_gt(strlen(error_title((enum error)e)), 0, "error %d", e);
        for (int other = 0; other < e; other++)
            cr_assert_str_neq(error_code((enum error)e), error_code((enum error)other));
    }
}

/* The contract's table of failures, word for word. */
Test(error, codes_and_statuses_are_the_contracts)
{
    static const struct {
        int status;
        const char *codes;
    } contract[] = {
        { 400, "bad_request bad_url" },
        { 401, "unauthorized" },
        { 403, "blocked forbidden" },
        { 404, "not_found unknown_session" },
        { 405, "method_not_allowed" },
        { 413, "request_too_large" },
        { 501, "unsupported" },
        { 502,
          "dns_failed connect_failed tls_failed proxy_failed protocol_error too_many_redirects "
          "response_too_large incomplete_body send_failed recv_failed" },
        { 503, "overloaded draining origin_unavailable" },
        { 504, "connect_timeout timeout idle_timeout" },
    };
    int found = 0, listed = 0;

    for (size_t i = 0; i < sizeof contract / sizeof contract[0]; i++) {
        char words[300], *left, *word;

        strcpy(words, contract[i].codes);
        for (word = strtok_r(words, " ", &left); word; word = strtok_r(NULL, " ", &left)) {
            listed++;
            for (int e = 0; e < ERROR_COUNT; e++)
                if (strcmp(error_code((enum error)e), word) == 0 &&
                    error_status((enum error)e) == contract[i].status)
                    found++;
        }
    }
    cr_assert_eq(listed, 26);
    cr_assert_eq(found, listed);
}

Test(error, only_a_503_says_when_to_come_back)
{
    for (int e = 0; e < ERROR_COUNT; e++)
        cr_assert_eq(error_retry_after((enum error)e) > 0, error_status((enum error)e) == 503, "%s",
                     error_code((enum error)e));
    cr_assert_eq(error_retry_after(ERROR_OVERLOADED), 1);
    cr_assert_eq(error_retry_after(ERROR_DRAINING), 2);
    cr_assert_eq(error_retry_after(ERROR_ORIGIN_UNAVAILABLE), 1);
}
