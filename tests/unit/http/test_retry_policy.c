/* test_retry_policy.c - what a request says about being tried again. */

#include "http/retry_policy.h"

#include "util/clock.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static struct retry_policy r;

static void
setup(void)
{
    retry_policy_init(&r);
}

static void
teardown(void)
{
    retry_policy_destroy(&r);
}

TestSuite(retries, .init = setup, .fini = teardown);

/* -- after what ---------------------------------------------------------- */

Test(retries, by_default_the_statuses_of_a_passing_trouble)
{
    for (int status = 0; status < 1000; status++) {
        bool listed = status == 429 || (status >= 502 && status <= 504);

        cr_assert_eq(retry_policy_has_status(&r, status), listed, "%d", status);
    }
}

Test(retries, each_status_has_a_bit_of_its_own)
{
    retry_policy_clear_statuses(&r);
    for (int status = RETRY_POLICY_STATUS_MIN; status <= RETRY_POLICY_STATUS_MAX; status++) {
        cr_assert_not(retry_policy_has_status(&r, status), "%d", status);
        retry_policy_add_status(&r, status);
        cr_assert(retry_policy_has_status(&r, status), "%d", status);
    }
    cr_assert_not(retry_policy_has_status(&r, RETRY_POLICY_STATUS_MIN - 1));
    cr_assert_not(retry_policy_has_status(&r, RETRY_POLICY_STATUS_MAX + 1));
}

Test(retries, by_default_the_idempotent_methods)
{
    static const char *const yes[] = { "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" };
    static const char *const no[] = {
        "POST", "PATCH", "get", "GE", "ET", "G", "DELETED", "PROPFIND"
    };

    for (size_t i = 0; i < 6; i++)
        cr_assert(retry_policy_has_method(&r, yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < 8; i++)
        cr_assert_not(retry_policy_has_method(&r, no[i]), "%s", no[i]);
}

Test(retries, named_methods_take_their_place)
{
    retry_policy_add_method(&r, "POST");
    retry_policy_add_method(&r, "X-Y");
    cr_assert(retry_policy_has_method(&r, "POST"));
    cr_assert(retry_policy_has_method(&r, "X-Y"));
    cr_assert_not(retry_policy_has_method(&r, "GET"));
    cr_assert_not(retry_policy_has_method(&r, "X"));
    retry_policy_clear_methods(&r);
    cr_assert(retry_policy_has_method(&r, "GET"));
}

/* -- Retry-After --------------------------------------------------------- */

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example */

static int64_t
after(const char *value)
{
    int64_t us = retry_policy_parse_retry_after(value, NULL, NOW);

    return us < 0 || us == INT64_MAX ? us : us / US_PER_SECOND;
}

Test(retries, retry_after_in_seconds)
{
    cr_assert_eq(after("0"), 0);
    cr_assert_eq(after("1"), 1);
    cr_assert_eq(after("0120"), 120);
    cr_assert_eq(after("99999999999999999999"), INT64_MAX, "for ever");
    cr_assert_eq(after("9223372036854775807"), INT64_MAX);
}

Test(retries, retry_after_as_a_date_in_all_three_forms)
{
    cr_assert_eq(after("Sun, 06 Nov 1994 08:49:42 GMT"), 5);
    cr_assert_eq(after("Sunday, 06-Nov-94 08:49:42 GMT"), 5);
    cr_assert_eq(after("Sun Nov  6 08:49:42 1994"), 5);
    cr_assert_eq(after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    cr_assert_eq(after("Sun, 06 Nov 1994 08:49:36 GMT"), 0, "what is over asks for no wait");
    cr_assert_eq(after("Mon, 06 Nov 1995 08:49:37 GMT"), 365 * 86400);
}

/* Seconds from a Date to a Retry-After, by a clock of ours that is wrong. */
static int64_t
between(const char *date, const char *value)
{
    return retry_policy_parse_retry_after(value, date, NOW - 3600) / US_PER_SECOND;
}

Test(retries, retry_after_as_a_date_counts_from_the_date_of_the_response)
{
    static const char later[] = "Sun, 06 Nov 1994 08:49:42 GMT";

    cr_assert_eq(between("Sun, 06 Nov 1994 08:49:37 GMT", later), 5);
    cr_assert_eq(between("Sun, 06 Nov 1994 09:49:37 GMT", later), 0);
    cr_assert_eq(between("Sun, 06 Nov 1994 08:49:37 GMT", "7"), 7, "seconds count from now");
    cr_assert_eq(between("yesterday or so", later), 3605, "no date: our own clock");
    cr_assert_eq(between("19941106", later), 3605);
    cr_assert_eq(between("", later), 3605);
}

Test(retries, a_retry_after_that_makes_no_sense_is_none)
{
    static const char *const wrong[] = {
        "", "-1", "1.5", "1s", "soon", " 1", "+1", "0x10", "1, 2"
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(after(wrong[i]), -1, "\"%s\"", wrong[i]);
}

/* -- how long to wait ---------------------------------------------------- */

/* The longest wait before the n-th retry; every shorter one is as likely. */
static int64_t
longest_ms(int n)
{
    int64_t most = 0;
    unsigned seed = 1;

    for (int i = 0; i < 2000; i++) {
        uint64_t random = (uint64_t)rand_r(&seed) << 31 ^ (uint64_t)rand_r(&seed);
        int64_t us = retry_policy_wait_us(&r, n, 0, random);

        cr_assert_geq(us, 0);
        most = us > most ? us : most;
    }
    return (most + US_PER_MS - 1) / US_PER_MS;
}

Test(retries, the_bound_doubles_up_to_max_backoff)
{
    r.backoff_ms = 100;
    r.max_backoff_ms = 1000;
    static const int64_t bounds[] = { 100, 200, 400, 800, 1000, 1000 };

    for (int n = 0; n < 6; n++) {
        cr_assert_leq(longest_ms(n), bounds[n], "%d", n);
        cr_assert_geq(longest_ms(n), bounds[n] * 9 / 10, "%d", n);
    }
    cr_assert_leq(longest_ms(1000000), 1000, "no overflow");
}

Test(retries, jitter_is_full_from_nothing_to_the_bound)
{
    r.backoff_ms = 1;
    cr_assert_eq(retry_policy_wait_us(&r, 0, 0, 0), 0);
    cr_assert_eq(retry_policy_wait_us(&r, 0, 0, 1000), 1000);
    cr_assert_eq(retry_policy_wait_us(&r, 0, 0, 1001), 0);
}

Test(retries, without_backoff_there_is_no_wait)
{
    r.backoff_ms = 0;
    cr_assert_eq(longest_ms(0), 0);
    cr_assert_eq(longest_ms(50), 0);
}

Test(retries, what_retry_after_asks_for_comes_before_the_wait)
{
    r.backoff_ms = 100;
    cr_assert_eq(retry_policy_wait_us(&r, 0, 2 * US_PER_SECOND, 0), 2 * US_PER_SECOND);
    cr_assert_eq(retry_policy_wait_us(&r, 0, 2 * US_PER_SECOND, 100 * US_PER_MS),
                 2100 * INT64_C(1000));
}

Test(retries, more_than_max_backoff_means_no_retry)
{
    r.max_backoff_ms = 2000;
    cr_assert_geq(retry_policy_wait_us(&r, 0, 2 * US_PER_SECOND, 0), 2 * US_PER_SECOND);
    cr_assert_eq(retry_policy_wait_us(&r, 0, 2 * US_PER_SECOND + 1, 0), -1);
    cr_assert_eq(retry_policy_wait_us(&r, 0, INT64_MAX, 0), -1);
}

/* -- which failures --------------------------------------------------------- */

static unsigned
kind(enum error error, CURLcode code)
{
    struct failure f = { .error = error, .curl_code = (int)code };

    return retry_policy_kind(&f);
}

Test(retries, transient_failures_and_what_would_happen_again)
{
    static const enum error connect[] = { ERROR_DNS_FAILED, ERROR_CONNECT_FAILED,
                                          ERROR_PROXY_FAILED, ERROR_CONNECT_TIMEOUT };
    static const enum error read[] = { ERROR_IDLE_TIMEOUT, ERROR_SEND_FAILED, ERROR_RECV_FAILED,
                                       ERROR_INCOMPLETE_BODY };
    int count = 0;

    for (size_t i = 0; i < sizeof connect / sizeof connect[0]; i++)
        cr_assert_eq(kind(connect[i], CURLE_OK), RETRY_ON_CONNECT, "%s", error_code(connect[i]));
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        cr_assert_eq(kind(read[i], CURLE_OK), RETRY_ON_READ, "%s", error_code(read[i]));
    for (int e = 0; e < ERROR_COUNT; e++)
        count += kind((enum error)e, CURLE_OK) != 0;
    cr_assert_eq(count, 8, "and no other");
    cr_assert_eq(kind(ERROR_TLS_FAILED, CURLE_SSL_CONNECT_ERROR), RETRY_ON_CONNECT);
    cr_assert_eq(kind(ERROR_TLS_FAILED, CURLE_RECV_ERROR), RETRY_ON_CONNECT, "GnuTLS's word");
    cr_assert_eq(kind(ERROR_TLS_FAILED, CURLE_SEND_ERROR), RETRY_ON_CONNECT, "GnuTLS's word");
    cr_assert_eq(kind(ERROR_TLS_FAILED, CURLE_PEER_FAILED_VERIFICATION), 0);
    cr_assert_eq(kind(ERROR_PROTOCOL_ERROR, CURLE_HTTP2_STREAM), RETRY_ON_READ);
    cr_assert_eq(kind(ERROR_PROTOCOL_ERROR, CURLE_WEIRD_SERVER_REPLY), 0);
}

Test(retries, each_kind_of_failure_has_a_word)
{
    cr_assert_str_eq(retry_policy_word(0), "connect");
    cr_assert_str_eq(retry_policy_word(2), "status");
    cr_assert_null(retry_policy_word(3));
}
