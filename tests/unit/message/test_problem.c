/* test_problem.c - a failure as application/problem+json (RFC 9457). */

#include "message/json.h"
#include "message/problem.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buffer out;

static void
setup(void)
{
    buffer_init(&out, 4096);
}

static void
teardown(void)
{
    buffer_free(&out);
}

TestSuite(problem, .init = setup, .fini = teardown);

Test(problem, has_the_members_of_the_rfc_and_a_code)
{
    struct failure f = { .error = ERROR_BLOCKED, .detail = "127.0.0.1: \"loopback\"" };

    cr_assert_eq(problem_write(&out, &f), 0);
    cr_assert_str_eq(out.data, "{\"type\":\"urn:curlew:problem:blocked\","
                               "\"title\":\"The egress guard refused the destination\","
                               "\"status\":403,\"detail\":\"127.0.0.1: \\\"loopback\\\"\","
                               "\"code\":\"blocked\"}");
}

Test(problem, shows_libcurls_code_where_libcurl_said_no)
{
    struct failure f = { .error = ERROR_DNS_FAILED, .curl_code = 6 };
    json_t *p = problem_json(&f);

    cr_assert_eq(json_integer_value(json_object_get(p, "curl_code")), 6);
    cr_assert_eq(json_integer_value(json_object_get(p, "status")), 502);
    cr_assert_str_eq(json_string_value(json_object_get(p, "code")), "dns_failed");
    json_decref(p);
}

Test(problem, tells_the_attempts_of_what_was_sent)
{
    struct failure f = { .error = ERROR_RECV_FAILED, .attempts = 2 };
    json_t *p = problem_json(&f);

    cr_assert_eq(json_integer_value(json_object_get(p, "attempts")), 2);
    json_decref(p);
    f.attempts = 0;
    p = problem_json(&f);
    cr_assert_null(json_object_get(p, "attempts"));
    json_decref(p);
}

Test(problem, every_error_is_json_with_its_own_type)
{
    for (int e = 0; e < ERROR_COUNT; e++) {
        struct failure f = { .error = (enum error)e };
        json_t *p = problem_json(&f);
        const char *type = json_string_value(json_object_get(p, "type"));

        cr_assert_not_null(type, "error %d", e);
        cr_assert_str_eq(type + strlen("urn:curlew:problem:"), error_code((enum error)e));
        json_decref(p);
    }
}

Test(problem, the_longest_detail_of_characters_to_escape_fits)
{
    struct failure f = { .error = ERROR_INTERNAL };
    json_t *p;

    memset(f.detail, 1, sizeof f.detail - 1);
    p = problem_json(&f);

    cr_assert_str_eq(json_string_value(json_object_get(p, "detail")), f.detail);
    json_decref(p);
}

Test(problem, past_the_buffers_limit_it_says_so)
{
    struct failure f = { .error = ERROR_INTERNAL };
    struct buffer small;

    problem_write(&out, &f);
    buffer_init(&small, out.len);
    cr_assert_eq(problem_write(&small, &f), 0);
    buffer_free(&small);
    buffer_init(&small, out.len - 1);
    cr_assert_eq(problem_write(&small, &f), -1);
    buffer_free(&small);
}
