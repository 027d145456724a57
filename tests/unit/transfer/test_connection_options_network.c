/* test_connection_options_network.c - a session's own ways in the network. */

#include "transfer/connection_options.h"

#include "egress/egress_config.h"
#include "support/fetch_fixture.h"
#include "transfer/handle_cache.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fetch_fixture t;
static struct handle_cache cache;
static struct curlew_fetch *f;

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

TestSuite(connection_options_network, .init = setup, .fini = teardown, .timeout = 20);

static void
begin(const char *url)
{
    f = fetch_fixture_new(&t, url);
    cr_assert_eq(handle_cache_acquire(&cache, f), 0);
    cr_assert_eq(connection_options_set(f), 0);
}

static void
end(void)
{
    connection_options_release(f);
    cr_assert_null(f->hop->resolve);
    handle_cache_release(&cache, f);
    fetch_unref(f);
}

static void
resolves(const char *url, const char *addresses)
{
    begin(url);
    cr_assert_not_null(f->hop->resolve, "%s", url);
    cr_assert_not_null(strstr(f->hop->resolve->data, addresses), "%s", f->hop->resolve->data);
    cr_assert_eq(strncmp(f->hop->connect_to->data, "::resolve-", 10), 0);
    end();
}

static void
looks_up(const char *url)
{
    begin(url);
    cr_assert_null(f->hop->resolve, "%s", url);
    cr_assert_null(f->hop->connect_to, "%s", url);
    end();
}

Test(connection_options_network, an_entry_is_for_one_host_and_port)
{
    struct session_config *s = &t.session->settings;

    egress_config_add(&s->resolve, &s->resolve_count, "a.test:80:192.0.2.1,[2001:db8::1]");
    egress_config_add(&s->resolve, &s->resolve_count, "a.test:443:192.0.2.2");
    resolves("http://a.test/", ":80:192.0.2.1,[2001:db8::1]");
    resolves("https://A.TEST/", ":443:192.0.2.2");
    resolves("http://a.test./", ":80:192.0.2.1");
    looks_up("http://a.test:8080/");
    looks_up("http://b.a.test/");
    looks_up("http://a.tes/");
    looks_up("http://a.test.x/");
    handle_cache_destroy(&cache);
}
