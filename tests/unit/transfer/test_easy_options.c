/* test_easy_options.c - what a handle keeps from hop to hop, and what it must not keep. */

#include "transfer/easy_options.h"

#include "support/origin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct easy_options o;
static char one, other; /* something to point to */

static void
setup(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy_options_init(&o, curl_easy_init());
    easy_options_begin(&o);
}

static void
teardown(void)
{
    curl_easy_cleanup(o.easy);
}

TestSuite(easy_options, .init = setup, .fini = teardown, .timeout = 20);

static CURLcode
set(CURLoption option, intptr_t value)
{
    return easy_options_set(&o, option, value);
}

/* CURLOPT_PRIVATE is what libcurl tells again. */
static const char *private(void)
{
    char *p = NULL;

    curl_easy_getinfo(o.easy, CURLINFO_PRIVATE, &p);
    return p;
}

static void
end_well(void)
{
    cr_assert(easy_options_end(&o));
    easy_options_on_good_end(&o);
    easy_options_drop(&o);
}

/* -- what is given to libcurl ------------------------------------------------------- */

Test(easy_options, a_value_is_given_once_and_another_one_in_its_place)
{
    cr_assert_eq(set(CURLOPT_PRIVATE, (intptr_t)&one), CURLE_OK);
    cr_assert_eq(private(), &one);
    end_well();
    curl_easy_setopt(o.easy, CURLOPT_PRIVATE, "behind its back");
    easy_options_begin(&o);
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert_str_eq(private(), "behind its back");
    set(CURLOPT_PRIVATE, (intptr_t)&other);
    cr_assert_eq(private(), &other);
}

Test(easy_options, what_the_next_hop_does_not_name_is_set_back)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    end_well();
    easy_options_begin(&o);
    cr_assert(easy_options_end(&o));
    cr_assert_null(private());
}

Test(easy_options, what_cannot_be_set_back_needs_a_reset)
{
    set(CURLOPT_CAINFO, (intptr_t) "/a");
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    end_well();
    easy_options_begin(&o);
    cr_assert_not(easy_options_end(&o));
    easy_options_reset(&o);
    cr_assert_null(private());
    easy_options_begin(&o);
    cr_assert(easy_options_end(&o));
}

Test(easy_options, an_option_without_a_row_is_for_a_fresh_handle_and_leaves_none)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    end_well();
    easy_options_begin(&o);
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert_eq(set(CURLOPT_USERNAME, (intptr_t) "ann"), CURLE_OK);
    cr_assert_not(easy_options_end(&o));
    easy_options_reset(&o);
    easy_options_begin(&o);
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    set(CURLOPT_USERNAME, (intptr_t) "ann");
    end_well();
    cr_assert(easy_options_try_keep(&o));
    cr_assert_null(private());
}

Test(easy_options, while_a_hop_runs_any_option_can_be_set)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    end_well();
    easy_options_begin(&o);
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert(easy_options_end(&o));
    cr_assert_eq(set(CURLOPT_REQUEST_TARGET, (intptr_t) "/a?"), CURLE_OK);
    cr_assert_eq(set(CURLOPT_TIMEOUT_MS, 10), CURLE_OK);
    easy_options_on_good_end(&o);
    easy_options_begin(&o);
    cr_assert_null(private(), "the time-out has no row");
}

Test(easy_options, what_libcurl_refuses_spoils_the_handle)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert_neq(set(CURLOPT_PROTOCOLS_STR, (intptr_t) "no such"), CURLE_OK);
    cr_assert(easy_options_end(&o));
    easy_options_on_good_end(&o);
    cr_assert(easy_options_try_keep(&o));
    cr_assert_null(private());
}

Test(easy_options, an_option_of_another_library_has_no_row)
{
    cr_assert_eq(set((CURLoption)999, 1), CURLE_UNKNOWN_OPTION);
    cr_assert_eq(set((CURLoption)90001, 1), CURLE_UNKNOWN_OPTION);
}

/* -- when a handle is reset ---------------------------------------------------------- */

Test(easy_options, a_hop_that_did_not_end_well_leaves_a_fresh_handle)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert(easy_options_end(&o));
    easy_options_drop(&o);
    cr_assert_eq(private(), &one);
    easy_options_begin(&o);
    cr_assert_null(private());
}

Test(easy_options, a_hop_that_was_not_named_whole_leaves_a_fresh_handle)
{
    set(CURLOPT_PRIVATE, (intptr_t)&one);
    cr_assert(easy_options_try_keep(&o));
    cr_assert_null(private());
}

Test(easy_options, a_browser_is_one_option_and_a_reset_takes_it_off)
{
    static const char chrome[] = "chrome", firefox[] = "firefox";

    cr_assert(easy_options_wears(&o, NULL, true));
    cr_assert_not(easy_options_wears(&o, chrome, true));
    easy_options_wear(&o, chrome, true);
    end_well();
    easy_options_begin(&o);
    cr_assert(easy_options_wears(&o, chrome, true));
    cr_assert_not(easy_options_wears(&o, chrome, false));
    cr_assert_not(easy_options_wears(&o, firefox, true));
    cr_assert_not(easy_options_wears(&o, NULL, true));
    easy_options_reset(&o);
    cr_assert(easy_options_wears(&o, NULL, true));
}

Test(easy_options, what_a_browser_may_have_set_is_set_even_to_the_usual_value)
{
    curl_easy_setopt(o.easy, CURLOPT_PRIVATE, "the browser's");
    set(CURLOPT_PRIVATE, 0);
    cr_assert_str_eq(private(), "the browser's");
    easy_options_wear(&o, "chrome", true);
    set(CURLOPT_PRIVATE, 0);
    cr_assert_null(private());
}

/* -- what goes out --------------------------------------------------------------------- */

static char got[4096];

static void
note(struct seen_request *x)
{
    snprintf(got, sizeof got, "%s%s", x->head, x->body);
    origin_reply(x, 200, "", "");
}

static size_t
swallow(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes, (void)arg;
    return size * n;
}

static struct test_origin origin;

/* `agent`, and the body, are gone when the hop is over. */
static void
hop(const char *agent, const char *method, const char *body)
{
    char agent_text[128], body_text[64];

    snprintf(agent_text, sizeof agent_text, "%s", agent);
    snprintf(body_text, sizeof body_text, "%s", body != NULL ? body : "");
    easy_options_begin(&o);
    set(CURLOPT_URL, (intptr_t)origin.url);
    set(CURLOPT_PROXY, (intptr_t) "");
    set(CURLOPT_NOSIGNAL, 1);
    set(CURLOPT_WRITEFUNCTION, (intptr_t)swallow);
    set(CURLOPT_USERAGENT, *agent != '\0' ? (intptr_t)agent_text : 0);
    if (strcmp(method, "HEAD") == 0)
        set(CURLOPT_NOBODY, 1);
    else if (strcmp(method, "GET") != 0)
        set(CURLOPT_CUSTOMREQUEST, (intptr_t)method);
    if (body != NULL) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, (intptr_t)strlen(body));
        set(CURLOPT_POSTFIELDS, (intptr_t)body_text);
        set(CURLOPT_COOKIE, (intptr_t) "secret=1");
    }
    cr_assert(easy_options_end(&o));
    cr_assert_eq(curl_easy_perform(o.easy), CURLE_OK);
    easy_options_on_good_end(&o);
    easy_options_drop(&o);
    memset(agent_text, '!', sizeof agent_text - 1);
    memset(body_text, '!', sizeof body_text - 1);
}

static bool
is_sent(const char *text)
{
    return strstr(got, text) != NULL;
}

Test(easy_options, each_method_follows_each_other_one_with_nothing_of_it)
{
    static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };

    origin_start(&origin, "127.0.0.1", note);
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 2; k++) {
            const char *method = methods[k == 0 ? i / 4 : i % 4];
            bool has_body = method[0] == 'P';
            char line[32];

            hop("a", method, has_body ? "the body" : NULL);
            snprintf(line, sizeof line, "%s / HTTP/1.1\r\n", method);
            cr_assert_eq(strncmp(got, line, strlen(line)), 0, "%s", got);
            cr_assert_eq(is_sent("the body"), has_body, "%s", got);
            cr_assert_eq(is_sent("Content-Length: 8"), has_body, "%s", got);
            cr_assert_eq(is_sent("Cookie:"), has_body, "%s", got);
        }
}

/* As cookies do between the two requests of a digest authentication. */
Test(easy_options, what_a_hop_sets_twice_is_what_it_set_last)
{
    char cookie[] = "a=1";

    origin_start(&origin, "127.0.0.1", note);
    easy_options_begin(&o);
    set(CURLOPT_URL, (intptr_t)origin.url);
    set(CURLOPT_WRITEFUNCTION, (intptr_t)swallow);
    set(CURLOPT_COOKIE, (intptr_t)cookie);
    cr_assert(easy_options_end(&o));
    cookie[2] = '2';
    set(CURLOPT_COOKIE, (intptr_t)cookie);
    cr_assert_eq(curl_easy_perform(o.easy), CURLE_OK);
    cr_assert(is_sent("Cookie: a=2\r\n"), "%s", got);
    easy_options_drop(&o);
}

Test(easy_options, text_is_compared_and_not_where_it_stands)
{
    char long_one[100], line[128];

    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    snprintf(line, sizeof line, "User-Agent: %s\r\n", long_one);
    origin_start(&origin, "127.0.0.1", note);
    hop("first", "GET", NULL);
    cr_assert(is_sent("User-Agent: first\r\n"));
    hop("second", "GET", NULL);
    cr_assert(is_sent("User-Agent: second\r\n"));
    hop("second", "GET", NULL);
    cr_assert(is_sent("User-Agent: second\r\n"));
    hop(long_one, "GET", NULL);
    cr_assert(is_sent(line));
    hop("", "GET", NULL);
    cr_assert_not(is_sent("User-Agent"));
    hop("second", "GET", NULL);
    cr_assert(is_sent("User-Agent: second\r\n"));
    long_one[98] = 'y';
    hop(long_one, "GET", NULL);
    cr_assert(is_sent("xxxy\r\n"));
    long_one[98] = 'z';
    hop(long_one, "GET", NULL);
    cr_assert(is_sent("xxxz\r\n"));
}
