/* handle_fixture.c - a fetch that has libcurl's handle, without an engine. */

#include "support/handle_fixture.h"

#include <criterion/criterion.h>

void
handle_fixture_open(struct handle_fixture *t)
{
    fetch_fixture_open(&t->fetches);
    t->fetch = fetch_fixture_new(&t->fetches, "http://a.test/");
    cr_assert_eq(handle_cache_acquire(&t->cache, t->fetch), 0);
}

void
handle_fixture_close(struct handle_fixture *t)
{
    handle_cache_release(&t->cache, t->fetch);
    handle_cache_destroy(&t->cache);
    fetch_unref(t->fetch);
    fetch_fixture_close(&t->fetches);
}
