/* test_cookies.c - a list of cookies. */

#include "http/cookies.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct cookie full = {
    .name = (char *)"sid",
    .value = (char *)"1",
    .domain = (char *)"a.test",
    .path = (char *)"/x",
    .secure = true,
    .http_only = true,
    .expires = 7,
};

Test(cookies, a_copy_holds_everything_and_shares_nothing)
{
    const struct cookie plain = { .name = (char *)"n", .value = (char *)"" };
    struct cookies list = { 0 }, copy = { 0 };

    cr_assert_eq(cookies_add(&list, &full), 0);
    cr_assert_eq(cookies_add(&list, &plain), 0);
    cr_assert_eq(cookies_add_all(&copy, &list), 0);
    cookies_destroy(&list);

    cr_assert_eq(list.count, 0);
    cr_assert_eq(copy.count, 2);
    cr_assert_str_eq(copy.items[0].name, "sid");
    cr_assert_str_eq(copy.items[0].value, "1");
    cr_assert_str_eq(copy.items[0].domain, "a.test");
    cr_assert_str_eq(copy.items[0].path, "/x");
    cr_assert(copy.items[0].secure && copy.items[0].http_only);
    cr_assert_eq(copy.items[0].expires, 7);
    cr_assert_null(copy.items[1].domain);
    cr_assert_null(copy.items[1].path);
    cookies_destroy(&copy);
}

Test(cookies, are_found_by_name_in_the_same_case)
{
    struct cookies list = { 0 };

    cookies_add(&list, &full);
    cr_assert(cookies_has(&list, "sid"));
    cr_assert_not(cookies_has(&list, "SID"));
    cookies_destroy(&list);
}

/* RFC 6265 section 5.3, step 11, with the host-only flag of 6265bis. */
Test(cookies, the_same_cookie_has_the_same_name_domain_and_path)
{
    struct cookie other = full;

    cr_assert(cookies_same(&full, &other));
    other.value = (char *)"2";
    other.secure = false;
    other.domain = (char *)"A.Test";
    cr_assert(cookies_same(&full, &other));
    other.host_only = true;
    cr_assert_not(cookies_same(&full, &other));
    other = full;
    other.name = (char *)"SID";
    cr_assert_not(cookies_same(&full, &other));
    other = full;
    other.path = NULL;
    cr_assert_not(cookies_same(&full, &other));
    other = full;
    other.domain = NULL;
    cr_assert_not(cookies_same(&full, &other));
}

Test(cookies, one_that_is_put_takes_the_place_of_the_same)
{
    struct cookie other = { .name = (char *)"n", .value = (char *)"", .path = (char *)"/" };
    struct cookies list = { 0 };

    cr_assert_eq(cookies_put(&list, &full), 0);
    cr_assert_eq(cookies_put(&list, &other), 0);
    other = full;
    other.value = (char *)"new";
    cr_assert_eq(cookies_put(&list, &other), 0);

    cr_assert_eq(list.count, 2);
    cr_assert_str_eq(list.items[0].value, "new");
    cr_assert_eq(cookies_find(&list, &full), &list.items[0]);
    other.name = (char *)"unknown";
    cr_assert_null(cookies_find(&list, &other));
    cookies_destroy(&list);
}

Test(cookies, one_that_is_set_after_it_was_deleted_comes_last)
{
    struct cookie c = full, other = { .name = (char *)"n", .value = (char *)"" };
    struct cookies list = { 0 };

    c.deleted = true;
    cr_assert_eq(cookies_put(&list, &c), 0);
    cr_assert_eq(cookies_put(&list, &other), 0);
    c.deleted = false;
    c.renewed = true;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cookies_put(&list, &c), 0);
        cr_assert_eq(list.count, 2);
        cr_assert_str_eq(list.items[0].name, "n");
        cr_assert_eq(cookies_find(&list, &full), &list.items[1]);
    }
    cookies_destroy(&list);
}

/* -- many at once ---------------------------------------------------------- */

static void
add(struct cookies *list, const char *name, const char *value, bool lent)
{
    struct cookie c = { .name = (char *)name, .value = (char *)value, .lent = lent };

    cr_assert_eq(cookies_add(list, &c), 0);
}

Test(cookies, put_all_is_put_of_each)
{
    struct cookies list = { 0 }, more = { 0 };

    add(&list, "b", "1", true);
    add(&list, "a", "2", false);
    add(&more, "c", "3", false);
    add(&more, "b", "4", false);
    add(&more, "c", "5", false);
    cr_assert_eq(cookies_put_all(&list, &more), 0);
    cr_assert_eq(list.count, 3);
    cr_assert_str_eq(list.items[0].name, "b");
    cr_assert_str_eq(list.items[0].value, "4");
    cr_assert(list.items[0].lent);
    cr_assert_str_eq(list.items[1].value, "2");
    cr_assert_str_eq(list.items[2].value, "5");
    cookies_destroy(&list);
    cookies_destroy(&more);
}

Test(cookies, put_all_of_twenty_thousand_takes_a_moment)
{
    struct cookies list = { 0 }, more = { 0 };
    clock_t start = clock();
    char name[20];

    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "%d", i);
        add(&more, name, "", false);
    }
    cr_assert_eq(cookies_put_all(&list, &more), 0);
    cr_assert_eq(cookies_put_all(&list, &more), 0);
    cr_assert_eq(list.count, 20000);
    cr_assert_lt(clock() - start, 2 * CLOCKS_PER_SEC, "one by one it takes four");
    cookies_destroy(&list);
    cookies_destroy(&more);
}
