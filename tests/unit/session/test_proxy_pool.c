/* test_proxy_pool.c - the proxies of a session, used round robin. */

#include "session/proxy_pool.h"
#include "util/clock.h"

#include <criterion/criterion.h>

static char *urls[] = { "http://a", "http://b", "http://c" };
static struct proxy_pool *p;

#define SECONDS(n) ((int64_t)(n)*US_PER_SECOND)

static void
setup(void)
{
    p = proxy_pool_new(urls, 3);
}

static void
teardown(void)
{
    proxy_pool_free(p);
}

TestSuite(proxies, .init = setup, .fini = teardown);

Test(proxies, are_used_round_robin)
{
    for (int i = 0; i < 7; i++)
        cr_assert_eq(proxy_pool_next(p, 0), urls[i % 3]);
}

Test(proxies, one_that_failed_is_skipped_until_its_cooldown_ends)
{
    int64_t now = SECONDS(100);

    proxy_pool_cool_down(p, "http://b", now);
    for (int i = 0; i < 6; i++)
        cr_assert_neq(proxy_pool_next(p, now + SECONDS(PROXY_POOL_COOLDOWN_SECONDS) - 1), urls[1]);
    for (int i = 0, seen = 0; i < 3; i++) {
        seen += proxy_pool_next(p, now + SECONDS(PROXY_POOL_COOLDOWN_SECONDS)) == urls[1];
        cr_assert(i < 2 || seen == 1);
    }
}

Test(proxies, if_all_cool_down_the_one_that_ends_first_is_used)
{
    proxy_pool_cool_down(p, "http://c", SECONDS(1));
    proxy_pool_cool_down(p, "http://a", SECONDS(2));
    proxy_pool_cool_down(p, "http://b", SECONDS(3));
    cr_assert_eq(proxy_pool_next(p, SECONDS(4)), urls[2]);
}

Test(proxies, an_empty_pool_has_no_next_one)
{
    struct proxy_pool *none = proxy_pool_new(NULL, 0);

    cr_assert_null(proxy_pool_next(none, 0));
    proxy_pool_cool_down(none, "http://a", 0);
    proxy_pool_free(none);
}
