/* test_cookie_jar.c - what a jar holds, for which hosts, and how much of it. */

#include "session/cookie_jar.h"

#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1000

static struct cookie_jar *j;
static struct cookies out;

static void
setup(void)
{
    j = cookie_jar_new();
}

static void
teardown(void)
{
    cookies_destroy(&out);
    cookie_jar_free(j);
}

TestSuite(cookie_jar, .init = setup, .fini = teardown, .timeout = 60);

static void
import(const struct cookie *c)
{
    const struct cookies set = { (struct cookie *)c, 1 };

    cr_assert_eq(cookie_jar_import(j, &set, NOW), 0);
}

/* For the host alone. */
static void
set_cookie(const char *domain, const char *path, const char *name, const char *value)
{
    const struct cookie c = { .name = (char *)name,
                              .value = (char *)value,
                              .domain = (char *)domain,
                              .path = (char *)path,
                              .host_only = true };

    import(&c);
}

static void
set_until(const char *domain, const char *name, int64_t expires)
{
    const struct cookie c = { .name = (char *)name,
                              .value = (char *)"",
                              .domain = (char *)domain,
                              .path = (char *)"/",
                              .host_only = true,
                              .expires = expires };

    import(&c);
}

static void
set_numbered(const char *domain, int number)
{
    char path[20];

    snprintf(path, sizeof path, "/p%d", number);
    set_cookie(domain, path, "fill", "1");
}

/* The names of those for the host, each with a blank behind it. */
static const char *
names_at(const char *host, int64_t now)
{
    static char names[200];

    cookies_destroy(&out);
    names[0] = '\0';
    cr_assert_eq(cookie_jar_export(j, host, now, &out), 0);
    for (size_t i = 0; i < out.count && out.count < 10; i++) {
        strcat(names, out.items[i].name);
        strcat(names, " ");
        cr_assert(out.items[i].lent);
    }
    return names;
}

static const char *
names(const char *host)
{
    return names_at(host, NOW);
}

static size_t
count(const char *host)
{
    names(host);
    return out.count;
}

/* -- what is exported ------------------------------------------------------ */

Test(cookie_jar, only_the_cookies_that_match_the_host_are_exported)
{
    const struct cookie domain = { .name = (char *)"domain",
                                   .value = (char *)"1",
                                   .domain = (char *)"b.example",
                                   .path = (char *)"/" };

    set_cookie("a.example", "/", "host", "1");
    import(&domain);

    cr_assert_str_eq(names("a.example"), "host ");
    cr_assert_str_eq(names("x.a.example"), "");
    cr_assert_str_eq(names("xa.example"), "");
    cr_assert_str_eq(names("example"), "");
    cr_assert_str_eq(names(""), "");
    cr_assert_str_eq(names("b.example"), "domain ");
    cr_assert_str_eq(names("x.y.b.example"), "domain ");
    cr_assert_str_eq(names("xb.example"), "");
}

Test(cookie_jar, a_cookie_that_has_expired_is_not_exported)
{
    set_until("a.example", "short", NOW + 1);

    cr_assert_str_eq(names_at("a.example", NOW), "short ");
    cr_assert_str_eq(names_at("a.example", NOW + 1), "");
}

Test(cookie_jar, what_the_list_has_is_not_exported_again)
{
    set_cookie("a.example", "/", "old", "1");
    set_cookie("a.example", "/", "kept", "1");
    names("a.example");
    free(out.items[0].value);
    out.items[0].value = strdup("");
    out.items[0].deleted = true;
    set_cookie("a.example", "/", "new", "1");

    cr_assert_eq(cookie_jar_export(j, "a.example", NOW, &out), 0);
    cr_assert_eq(out.count, 3);
    cr_assert(out.items[0].deleted);
    cr_assert_str_eq(out.items[2].name, "new");
}

Test(cookie_jar, one_that_replaces_another_keeps_its_place)
{
    set_cookie("a.example", "/", "first", "1");
    set_cookie("a.example", "/", "second", "1");
    set_cookie("a.example", "/", "first", "new and longer");

    cr_assert_str_eq(names("a.example"), "first second ");
    cr_assert_str_eq(out.items[0].value, "new and longer");
}

Test(cookie_jar, one_that_was_deleted_meanwhile_comes_last)
{
    const struct cookie renewed = { .name = (char *)"first",
                                    .value = (char *)"2",
                                    .domain = (char *)"a.example",
                                    .path = (char *)"/",
                                    .host_only = true,
                                    .lent = true,
                                    .renewed = true };

    set_cookie("a.example", "/", "first", "1");
    set_cookie("a.example", "/", "second", "1");
    import(&renewed);
    cr_assert_str_eq(names("a.example"), "second first ");
    cr_assert_not(out.items[1].renewed);
}

static bool
hides(const char *domain, bool host_only, const struct cookies *known)
{
    const struct cookie c = { .name = (char *)"sid",
                              .value = (char *)"",
                              .domain = (char *)domain,
                              .path = (char *)"/",
                              .host_only = host_only };

    return cookie_jar_hides_secure(j, &c, known);
}

Test(cookie_jar, a_secure_cookie_is_hidden_by_one_for_a_host_above_it)
{
    struct cookie sid = { .name = (char *)"sid",
                          .value = (char *)"",
                          .domain = (char *)"a.example",
                          .path = (char *)"/",
                          .host_only = true,
                          .secure = true };
    struct cookies known = { &sid, 1 };

    import(&sid);
    cr_expect(hides("example", false, &out));
    cr_expect(hides("x.a.example", true, &out));
    cr_expect_not(hides("b.example", true, &out));
    cr_expect(hides("example", false, &known));
    sid.deleted = true;
    cr_expect_not(hides("example", false, &known));
}

Test(cookie_jar, clearing_takes_everything_out)
{
    set_cookie("a.example", "/", "a", "1");
    cookie_jar_clear(j);
    cr_assert_str_eq(names("a.example"), "");
    set_cookie("a.example", "/", "b", "1");
    cr_assert_str_eq(names("a.example"), "b ");
}

/* -- what is deleted ---------------------------------------------------------- */

static void delete (const char *name, bool lent)
{
    const struct cookie c = { .name = (char *)name,
                              .value = (char *)"",
                              .domain = (char *)"a.example",
                              .path = (char *)"/",
                              .host_only = true,
                              .deleted = true,
                              .lent = lent };

    import(&c);
}

Test(cookie_jar, a_deleted_cookie_leaves_the_jar_if_it_was_lent)
{
    set_cookie("a.example", "/", "a", "1");
    set_cookie("a.example", "/", "b", "1");
    delete ("a", true);
    delete ("b", false);
    delete ("unknown", true);

    cr_assert_str_eq(names("a.example"), "b ", "another fetch has set b meanwhile");
}

/* -- at the limits ------------------------------------------------------------- */

Test(cookie_jar, of_one_domain_the_one_unused_for_longest_makes_room)
{
    set_cookie("z.example", "/", "other", "1");
    set_cookie("a.example", "/", "first", "1");
    for (int i = 1; i < COOKIE_JAR_DOMAIN_MAX; i++)
        set_numbered("a.example", i);
    cr_assert_eq(count("a.example"), COOKIE_JAR_DOMAIN_MAX);
    /* No more than before, and used again. */
    set_cookie("a.example", "/", "first", "2");
    cr_assert_eq(count("a.example"), COOKIE_JAR_DOMAIN_MAX);
    set_cookie("a.example", "/", "first", "3");
    set_numbered("a.example", COOKIE_JAR_DOMAIN_MAX);

    cr_assert_eq(count("a.example"), COOKIE_JAR_DOMAIN_MAX);
    cr_assert_str_eq(out.items[0].name, "first");
    cr_assert_str_eq(out.items[1].path, "/p2");
    cr_assert_str_eq(names("z.example"), "other ", "another domain's is not the one to go");
}

Test(cookie_jar, a_domains_cookies_fit_into_one_field)
{
    static char value[COOKIE_JAR_DOMAIN_BYTES_MAX / 2];
    size_t all = 0;

    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 3; i++) {
        char name[] = { (char)('a' + i), '\0' };

        set_cookie("a.example", "/", name, value);
    }
    cr_assert_str_eq(names("a.example"), "b c ");
    set_cookie("a.example", "/", "b", "small");
    set_cookie("a.example", "/", "d", "small");
    cr_assert_str_eq(names("a.example"), "b c d ");
    for (size_t i = 0; i < out.count; i++)
        all += strlen(out.items[i].name) + strlen(out.items[i].value);
    cr_assert_leq(all, COOKIE_JAR_DOMAIN_BYTES_MAX);
}

Test(cookie_jar, of_all_the_one_unused_for_longest_makes_room)
{
    char domain[40];

    set_cookie("first.example", "/", "x", "1");
    for (int i = 1; i < COOKIE_JAR_MAX; i++) {
        snprintf(domain, sizeof domain, "d%d.example", i);
        set_numbered(domain, i);
    }
    cr_assert_eq(count("first.example"), 1);
    set_cookie("last.example", "/", "x", "1");

    cr_assert_eq(count("first.example"), 1, "it was used last");
    cr_assert_eq(count("d1.example"), 0);
    cr_assert_eq(count("d2.example"), 1);
    cr_assert_eq(count("last.example"), 1);
}

Test(cookie_jar, all_its_bytes_have_a_limit)
{
    static char value[COOKIE_JAR_DOMAIN_BYTES_MAX - 10];
    char domain[40];
    int n = COOKIE_JAR_BYTES_MAX / (int)sizeof value + 1;

    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i <= n; i++) {
        snprintf(domain, sizeof domain, "d%d.example", i);
        set_cookie(domain, "/", "n", value);
    }
    cr_assert_eq(count("d0.example"), 0);
    cr_assert_eq(count(domain), 1);
}

Test(cookie_jar, what_has_expired_makes_room_first)
{
    const struct cookie last = { .name = (char *)"last",
                                 .value = (char *)"1",
                                 .domain = (char *)"a.example",
                                 .path = (char *)"/",
                                 .host_only = true };
    const struct cookies set = { (struct cookie *)&last, 1 };

    set_cookie("a.example", "/", "first", "1");
    set_until("a.example", "short", NOW + 1);
    for (int i = 2; i < COOKIE_JAR_DOMAIN_MAX; i++)
        set_numbered("a.example", i);
    cr_assert_eq(cookie_jar_import(j, &set, NOW + 1), 0);

    cr_assert_eq(count("a.example"), COOKIE_JAR_DOMAIN_MAX, "the expired one alone has gone");
    cr_assert_str_eq(out.items[0].name, "first");
}

/* A full jar must not block the worker: 1,000 cookies set at once, and one host's exported. */
Test(cookie_jar, a_full_jar_is_quick)
{
    struct cookies set = { 0 };
    char domain[40], path[20];
    int64_t before;

    for (int i = 0; i < COOKIE_JAR_MAX; i++) {
        snprintf(domain, sizeof domain, "d%d.example", i / COOKIE_JAR_DOMAIN_MAX);
        set_numbered(domain, i);
    }
    for (int i = 0; i < 1000; i++) {
        struct cookie c = { .name = (char *)"n",
                            .value = (char *)"v",
                            .domain = (char *)"d1.example",
                            .path = path,
                            .host_only = true };

        snprintf(path, sizeof path, "/new%d", i);
        cr_assert_eq(cookies_add(&set, &c), 0);
    }
    before = clock_us();
    cr_assert_eq(cookie_jar_import(j, &set, NOW), 0);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(count("d1.example"), COOKIE_JAR_DOMAIN_MAX);
    cr_assert_lt(clock_us() - before, 500 * US_PER_MS);
    cookies_destroy(&set);
}

/* -- all jars together ---------------------------------------------------- */

#define GROUP_JARS 18 /* full ones hold more than the group may */

static struct cookie_jar *jars[GROUP_JARS];

/* Full ones; then the group's limit has done its work.  `j` is in the group, too. */
static void
fill_group(struct cookie_jar_group *g)
{
    static char value[COOKIE_JAR_DOMAIN_BYTES_MAX - 10];
    struct cookie_jar *mine = j;
    char domain[40];

    memset(value, 'v', sizeof value - 1);
    cookie_jar_join(j, g);
    for (int i = 0; i < GROUP_JARS; i++) {
        j = jars[i] = cookie_jar_new();
        cookie_jar_join(j, g);
        for (int n = 0; n < COOKIE_JAR_BYTES_MAX / (int)sizeof value; n++) {
            snprintf(domain, sizeof domain, "d%d.example", n);
            set_cookie(domain, "/", "n", value);
            cr_assert_leq(cookie_jar_group_bytes(g), COOKIE_JAR_GROUP_BYTES_MAX);
        }
    }
    j = mine;
}

static void
free_jars(void)
{
    for (int i = 0; i < GROUP_JARS; i++)
        cookie_jar_free(jars[i]);
}

Test(cookie_jar, all_jars_together_have_a_limit_and_the_largest_makes_room)
{
    struct cookie_jar_group *g = cookie_jar_group_new();
    struct cookie_jar *mine = j;
    int64_t full;

    set_cookie("a.example", "/", "few", "1");
    fill_group(g);
    full = cookie_jar_group_bytes(g);
    cr_assert_gt(full, COOKIE_JAR_GROUP_BYTES_MAX - COOKIE_JAR_DOMAIN_BYTES_MAX - 400);
    cr_assert_eq(count("a.example"), 1, "unused for the longest time, but of a small jar");
    set_cookie("b.example", "/", "more", "1");
    cr_assert_eq(count("b.example"), 1);
    j = jars[0];
    cr_assert_eq(count("d0.example"), 0);
    j = mine;

    free_jars();
    cr_assert_lt(cookie_jar_group_bytes(g), 1000, "those of `j` are left");
    cookie_jar_clear(j);
    cr_assert_eq(cookie_jar_group_bytes(g), 0);
    cookie_jar_group_unref(g);
}

Test(cookie_jar, small_cookies_count_with_the_memory_that_they_take)
{
    struct cookie_jar_group *g = cookie_jar_group_new();

    cookie_jar_join(j, g);
    cookie_jar_join(j, g);
    for (int i = 0; i < COOKIE_JAR_DOMAIN_MAX; i++)
        set_numbered("a.example", i);
    cr_assert_gt(cookie_jar_group_bytes(g), COOKIE_JAR_DOMAIN_MAX * (int64_t)sizeof(struct cookie));
    set_until("a.example", "short", NOW + 1);
    cookie_jar_free(j);
    j = NULL;
    cr_assert_eq(cookie_jar_group_bytes(g), 0);
    cookie_jar_group_unref(g);
}
