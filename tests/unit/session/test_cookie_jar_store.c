/* test_cookie_jar_store.c - what a jar holds, for which hosts, and how much of it. */

#include "session/cookie_jar.h"
#include "support/runner.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct cookie_jar *j;

static void
setup(void)
{
    j = cookie_jar_new();
}

static void
teardown(void)
{
    cookie_jar_free(j);
    runner_check_leaks();
}

TestSuite(jar_store, .init = setup, .fini = teardown, .timeout = 60);

/* As a fetch of a host does it whose response set this cookie; `line` is in the Netscape format. */
static void
set_directly(const char *line)
{
    CURL *easy = curl_easy_init();
    struct headers set = { 0 };
    struct cookies left = { 0 };
    char copy[200], *value, *name;

    snprintf(copy, sizeof copy, "%s", line);
    value = strrchr(copy, '\t');
    *value++ = '\0';
    name = strrchr(copy, '\t') + 1;
    cookie_jar_enable(easy);
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
    headers_add(&set, name, strlen(name), value, strlen(value));
    cr_assert_eq(cookie_jar_import(j, easy, NULL, &set, &left), 0);
    cr_assert_eq(left.count, 1, "%s", line);
    headers_destroy(&set);
    cookies_destroy(&left);
    curl_easy_cleanup(easy);
}

static int
count_for(const char *host)
{
    CURL *easy = curl_easy_init();
    struct exported_cookie *exported = NULL;
    int n = 0;

    cookie_jar_enable(easy);
    cr_assert_eq(cookie_jar_export(j, easy, host, &exported), 0);
    for (struct exported_cookie *l = exported; l != NULL; l = l->next)
        n++;
    cookie_jar_export_free(exported);
    curl_easy_cleanup(easy);
    return n;
}

Test(jar_store, only_the_cookies_that_match_the_host_are_exported)
{
    set_directly("a.example\tFALSE\t/\tFALSE\t0\thost\t1");
    set_directly(".b.example\tTRUE\t/\tFALSE\t0\tdomain\t1");

    cr_assert_eq(count_for("a.example"), 1);
    cr_assert_eq(count_for("A.EXAMPLE"), 1);
    cr_assert_eq(count_for("x.a.example"), 0);
    cr_assert_eq(count_for("xa.example"), 0);
    cr_assert_eq(count_for("example"), 0);
    cr_assert_eq(count_for(""), 0);
    cr_assert_eq(count_for("b.example"), 1);
    cr_assert_eq(count_for("x.y.b.example"), 1);
    cr_assert_eq(count_for("xb.example"), 0);
}

Test(jar_store, a_cookie_that_has_expired_is_not_exported)
{
    char line[100];

    snprintf(line, sizeof line, "a.example\tFALSE\t/\tFALSE\t%lld\tshort\t1",
             (long long)time(NULL) + 1);
    set_directly(line);
    cr_assert_eq(count_for("a.example"), 1);
    sleep(3);
    cr_assert_eq(count_for("a.example"), 0);
}

/* -- at the limits ------------------------------------------------------- */

static void
set_numbered(const char *domain, int number)
{
    char line[100];

    snprintf(line, sizeof line, "%s\tFALSE\t/p%d\tFALSE\t0\tfill\t%d", domain, number, number);
    set_directly(line);
}

Test(jar_store, of_one_domain_the_oldest_makes_room_for_one_too_many)
{
    set_directly("z.example\tFALSE\t/\tFALSE\t0\tother\t1");
    set_directly("a.example\tFALSE\t/\tFALSE\t0\tfirst\t1");
    for (int i = 1; i < COOKIE_JAR_DOMAIN_MAX; i++)
        set_numbered("a.example", i);
    cr_assert_eq(count_for("a.example"), COOKIE_JAR_DOMAIN_MAX);
    /* No more than before, and young again. */
    set_directly("a.example\tFALSE\t/\tFALSE\t0\tfirst\t2");
    cr_assert_eq(count_for("a.example"), COOKIE_JAR_DOMAIN_MAX);
    set_numbered("a.example", COOKIE_JAR_DOMAIN_MAX);

    cr_assert_eq(count_for("a.example"), COOKIE_JAR_DOMAIN_MAX);
    cr_assert_eq(count_for("z.example"), 1, "another domain's is not the one to go");
}

Test(jar_store, of_all_the_oldest_makes_room_for_one_too_many)
{
    char domain[40];

    set_directly("first.example\tFALSE\t/\tFALSE\t0\tx\t1");
    for (int i = 1; i < COOKIE_JAR_MAX; i++) {
        snprintf(domain, sizeof domain, "d%d.example", i);
        set_numbered(domain, i);
    }
    cr_assert_eq(count_for("first.example"), 1);
    set_directly("last.example\tFALSE\t/\tFALSE\t0\tx\t1");

    cr_assert_eq(count_for("first.example"), 0);
    cr_assert_eq(count_for("d1.example"), 1);
    cr_assert_eq(count_for("last.example"), 1);
}

Test(jar_store, what_has_expired_makes_room_first)
{
    char line[100];

    set_directly("a.example\tFALSE\t/\tFALSE\t0\tfirst\t1");
    snprintf(line, sizeof line, "a.example\tFALSE\t/\tFALSE\t%lld\tshort\t1",
             (long long)time(NULL) + 1);
    set_directly(line);
    for (int i = 2; i < COOKIE_JAR_DOMAIN_MAX; i++)
        set_numbered("a.example", i);
    sleep(3);
    set_directly("a.example\tFALSE\t/\tFALSE\t0\tlast\t1");

    cr_assert_eq(count_for("a.example"), COOKIE_JAR_DOMAIN_MAX, "the expired one alone has gone");
}

/* A full jar must not block the worker: only one host's cookies are exported. */
Test(jar_store, exporting_from_a_full_jar_is_quick)
{
    char domain[40];
    int64_t before;

    for (int i = 0; i < COOKIE_JAR_MAX; i++) {
        snprintf(domain, sizeof domain, "d%d.example", i / COOKIE_JAR_DOMAIN_MAX);
        set_numbered(domain, i);
    }
    before = clock_us();
    for (int i = 0; i < 10; i++)
        cr_assert_eq(count_for("d1.example"), COOKIE_JAR_DOMAIN_MAX);
    cr_assert_lt(clock_us() - before, 10 * 100 * US_PER_MS);
}
