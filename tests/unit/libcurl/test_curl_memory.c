/*
 * test_curl_memory.c - how often libcurl, or OpenSSL on its behalf, was refused memory.
 *
 * That a fetch says so then is tests/faults/test_failing_allocations.py's to tell.
 */

#include "libcurl/curl_memory.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(curl_memory, .timeout = 20);

Test(curl_memory, libcurl_works_with_it_and_nothing_is_counted)
{
    CURL *easy;

    cr_assert_eq(curl_memory_init(), 0);
    easy = curl_easy_init();
    cr_assert_not_null(easy);
    cr_assert_eq(curl_easy_setopt(easy, CURLOPT_URL, "http://example.org/"), CURLE_OK);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    cr_assert_eq(curl_memory_failures(), 0);
}

#ifndef __SANITIZE_ADDRESS__ /* it ends the process instead */

Test(curl_memory, an_allocation_that_fails_is_counted)
{
    static char text[4 << 20];
    struct rlimit none = { 0, 0 };

    cr_assert_eq(curl_memory_init(), 0);
    memset(text, 'a', sizeof text - 1);
    setrlimit(RLIMIT_AS, &none); /* of this test's process */
    cr_assert_null(curl_easy_escape(NULL, text, 0));
    cr_assert_gt(curl_memory_failures(), 0);
}

#endif
