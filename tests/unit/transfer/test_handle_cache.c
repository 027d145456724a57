/* test_handle_cache.c - libcurl's easy handles of one engine thread, kept for the next fetches. */

#include "transfer/handle_cache.h"

#include "support/fetch_fixture.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>

static struct fetch_fixture t;

static void
setup(void)
{
    fetch_fixture_open(&t);
}

static void
teardown(void)
{
    fetch_fixture_close(&t);
}

TestSuite(handle_cache, .init = setup, .fini = teardown, .timeout = 20);

static struct handle_cache cache;

static struct hop *
acquire(struct curlew_fetch *f)
{
    cr_assert_eq(handle_cache_acquire(&cache, f), 0, "%s", f->failure.detail);
    return f->hop;
}

Test(handle_cache, a_handle_that_was_released_serves_the_next_fetch)
{
    struct curlew_fetch *f[2] = { fetch_fixture_new(&t, "http://a.test/"),
                                  fetch_fixture_new(&t, "http://b.test/") };
    struct hop *hop = acquire(f[0]);

    cr_assert_eq(acquire(f[0]), hop, "a fetch keeps its own");
    handle_cache_release(&cache, f[0]);
    cr_assert_null(f[0]->hop);
    cr_assert_eq(acquire(f[1]), hop);
    handle_cache_release(&cache, f[1]);
    handle_cache_destroy(&cache);
    fetch_unref(f[0]);
    fetch_unref(f[1]);
}

Test(handle_cache, fetches_at_once_have_a_handle_each)
{
    struct curlew_fetch *f[2] = { fetch_fixture_new(&t, "http://a.test/"),
                                  fetch_fixture_new(&t, "http://a.test/") };

    cr_assert_neq(acquire(f[0])->easy, acquire(f[1])->easy);
    for (int i = 0; i < 2; i++) {
        handle_cache_release(&cache, f[i]);
        fetch_unref(f[i]);
    }
    handle_cache_destroy(&cache);
}

Test(handle_cache, a_fetch_gets_a_handle_that_looks_like_its_browser)
{
    struct curlew_fetch *f[3];
    struct hop *hops[3];

    for (int i = 0; i < 3; i++) {
        f[i] = fetch_fixture_new(&t, "http://a.test/");
        hops[i] = acquire(f[i]);
    }
    for (int i = 0; i < 3; i++)
        handle_cache_release(&cache, f[i]);
    easy_options_wear(&hops[1]->options, "mosaic93", true);
    easy_options_wear(&hops[2]->options, "mosaic93", true);
    cr_assert_eq(acquire(f[0]), hops[0], "the last one that looks like none");
    cr_assert_eq(acquire(f[1]), hops[1], "the one that is unused for longest");
    for (int i = 0; i < 3; i++) {
        handle_cache_release(&cache, f[i]);
        fetch_unref(f[i]);
    }
    handle_cache_destroy(&cache);
}
