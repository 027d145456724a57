/* test_tls_tickets.c - whose TLS session tickets a transfer may resume with. */

#include "transfer/tls_tickets.h"

#include "support/fetch_fixture.h"
#include "transfer/handle_cache.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct fetch_fixture t;
static struct handle_cache cache;
static struct tls_tickets tickets;

static void
setup(void)
{
    fetch_fixture_open(&t);
}

static void
teardown(void)
{
    handle_cache_destroy(&cache);
    tls_tickets_destroy(&tickets);
    fetch_fixture_close(&t);
}

TestSuite(tls_tickets, .init = setup, .fini = teardown, .timeout = 20);

/* A fetch through that proxy, with its tickets attached; NULL: through none. */
static struct curlew_fetch *
attach(const char *proxy)
{
    struct curlew_fetch *f = fetch_fixture_new(&t, "https://a.test/");

    f->request.proxy = proxy != NULL ? strdup(proxy) : NULL;
    cr_assert_eq(handle_cache_acquire(&cache, f), 0);
    tls_tickets_attach(&tickets, f);
    return f;
}

static void
release(struct curlew_fetch *f)
{
    handle_cache_release(&cache, f);
    fetch_unref(f);
}

Test(tls_tickets, a_plain_fetch_has_those_of_the_multi_handle)
{
    struct curlew_fetch *f = attach(NULL);

    cr_assert_null(f->hop->tickets);
    cr_assert_eq(tickets.count, 0);
    release(f);
}

Test(tls_tickets, each_proxy_has_a_store_of_its_own)
{
    struct curlew_fetch *a = attach("http://a.test:1"), *b = attach("http://b.test:1"),
                        *c = attach("http://a.test:1");

    cr_assert_neq(a->hop->tickets, b->hop->tickets);
    cr_assert_eq(a->hop->tickets, c->hop->tickets);
    cr_assert_eq(a->hop->tickets->users, 2);
    release(a);
    cr_assert_eq(c->hop->tickets->users, 1);
    release(b);
    release(c);
}

Test(tls_tickets, a_reset_of_the_session_begins_a_new_store)
{
    struct curlew_fetch *before = attach("http://a.test:1"), *after;
    struct tls_tickets_store *store = before->hop->tickets;

    counter_add(&before->session->state->resets, 1);
    after = attach("http://a.test:1");
    cr_assert_neq(after->hop->tickets, store);
    release(before);
    release(after);
}

Test(tls_tickets, the_oldest_that_nobody_uses_makes_room)
{
    struct curlew_fetch *first = attach("http://first.test:1"), *f;
    struct tls_tickets_store *used = first->hop->tickets;
    char proxy[64];

    for (int i = 0; i < TLS_TICKETS_STORES_MAX; i++) {
        snprintf(proxy, sizeof proxy, "http://p%d.test:1", i);
        f = attach(proxy);
        cr_assert_not_null(f->hop->tickets);
        release(f);
    }
    cr_assert_eq(tickets.count, TLS_TICKETS_STORES_MAX);
    cr_assert_eq(used->users, 1);
    f = attach("http://first.test:1");
    cr_assert_eq(f->hop->tickets, used);
    release(f);
    release(first);
}

Test(tls_tickets, where_all_are_in_use_a_fetch_goes_without)
{
    struct curlew_fetch *all[TLS_TICKETS_STORES_MAX + 1];
    char proxy[64];

    for (int i = 0; i <= TLS_TICKETS_STORES_MAX; i++) {
        snprintf(proxy, sizeof proxy, "http://p%d.test:1", i);
        all[i] = attach(proxy);
    }
    cr_assert_not_null(all[TLS_TICKETS_STORES_MAX - 1]->hop->tickets);
    cr_assert_null(all[TLS_TICKETS_STORES_MAX]->hop->tickets);
    for (int i = 0; i <= TLS_TICKETS_STORES_MAX; i++)
        release(all[i]);
}
