/* test_config_session.c - named sessions: in the file, and on their own. */

#include "message/config_load.h"
#include "message/config_session.h"
#include "message/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session_config s;
static struct failure err;

static void
setup(void)
{
    session_config_init(&s);
    err = (struct failure){ 0 };
}

static void
teardown(void)
{
    session_config_destroy(&s);
}

TestSuite(config_session, .init = setup, .fini = teardown);

static int
give(const char *name, const char *text)
{
    json_t *object;
    int rc;

    teardown();
    setup();
    object = json_parse(text, strlen(text), &err);
    cr_assert_not_null(object, "%s", err.detail);
    rc = config_session_read(&s, name, object, &err);
    json_decref(object);
    return rc;
}

static void
refuses(const char *text, const char *detail)
{
    cr_assert_eq(give("a", text), -1, "%s", text);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

Test(config_session, has_ways_of_its_own_in_the_network)
{
    cr_assert_eq(give("a", "{\"tls_min\":\"1.3\",\"ciphers\":\"A:TLS_B\",\"interface\":\"lo\","
                           "\"resolve\":{\"A.test:80\":[\"192.0.2.1\",\"2001:db8::1\"],"
                           "\"b.test:65535\":[\"192.0.2.2\"]}}"),
                 0, "%s", err.detail);
    cr_assert_eq(s.tls_min, TLS_1_3);
    cr_assert_str_eq(s.ciphers, "A:TLS_B");
    cr_assert_str_eq(s.interface, "lo");
    cr_assert_eq(s.resolve_count, 2);
    cr_assert_str_eq(s.resolve[0], "a.test:80:192.0.2.1,[2001:db8::1]");
    cr_assert_str_eq(s.resolve[1], "b.test:65535:192.0.2.2");
    cr_assert_eq(give("a", "{\"interface\":\"fe80::1\"}"), 0, "%s", err.detail);
    cr_assert_eq(give("a", "{\"interface\":\"0123456789abcde\"}"), 0, "%s", err.detail);
    refuses("{\"interface\":\"0123456789abcdef\"}",
            "interface: expected the name of a network interface, or an address");
    refuses("{\"resolve\":{\"a.test:80\":[\"b\"]}}",
            "resolve.a.test:80[0]: expected an IPv4 or IPv6 address");
    refuses("{\"resolve\":{\"a.test:080\":[\"192.0.2.1\"]}}",
            "resolve.a.test:080: expected \"host:port\", with the name of a host");
}

Test(config_session, holds_its_own_keys_and_the_requests)
{
    cr_assert_eq(give("scraper",
                      "{\"cookie_jar\":\"shared\",\"max_in_flight\":1,\"max_per_origin\":1000000,"
                      "\"idle_connections\":0,\"idle_seconds\":86400,\"ca_file\":\"/ca\","
                      "\"client_cert\":\"/c\",\"client_key\":\"/k\",\"verify\":false,"
                      "\"headers\":{\"User-Agent\":\"x\"},\"timeout\":{\"connect\":1}}"),
                 0, "%s", err.detail);

    cr_assert_str_eq(s.name, "scraper");
    cr_assert(s.shared_jar);
    cr_assert_eq(s.max_in_flight, 1);
    cr_assert_eq(s.max_per_origin, 1000000);
    cr_assert_eq(s.idle_connections, 0);
    cr_assert_eq(s.idle_seconds, 86400);
    cr_assert_str_eq(s.ca_file, "/ca");
    cr_assert_str_eq(s.client_cert, "/c");
    cr_assert_str_eq(s.client_key, "/k");
    cr_assert_eq(s.defaults.set, SET_VERIFY | SET_CONNECT_TIMEOUT);
    cr_assert_str_eq(s.defaults.headers.items[0].name, "User-Agent");
}

Test(config_session, wrong_values_are_named)
{
    refuses("[]", "a session is a JSON object");
    refuses("{\"cookie_jar\":\"file\"}", "cookie_jar: expected one of none, shared");
    refuses("{\"max_in_flight\":0}", "max_in_flight: expected an integer from 1 to 1000000");
    refuses("{\"max_per_origin\":1000001}",
            "max_per_origin: expected an integer from 1 to 1000000");
    refuses("{\"idle_connections\":-1}", "idle_connections: expected an integer from 0 to 1000000");
    refuses("{\"idle_seconds\":0}", "idle_seconds: expected an integer from 1 to 86400");
    refuses("{\"idle_seconds\":86401}", "idle_seconds: expected an integer from 1 to 86400");
    refuses("{\"ca_file\":\"ca.pem\"}", "ca_file: expected an absolute path");
    refuses("{\"client_key\":\"/k\"}", "client_key: requires client_cert");
    refuses("{\"cookiejar\":\"none\"}", "unknown key \"cookiejar\"");
    refuses("{\"url\":\"http://a/\"}", "url: belongs to a single request, not to a session");
    refuses("{\"timeout\":{\"total\":0}}",
            "timeout.total: expected a number of seconds above 0 and at most 86400");
}

Test(config_session, is_polite_and_breaks_where_it_says_so)
{
    cr_assert_eq(give("a", "{}"), 0);
    cr_assert_eq(s.rate_limit.rate, 0);
    cr_assert_eq(s.rate_limit.burst, 1);
    cr_assert_eq(s.breaker.failures, 0);

    cr_assert_eq(give("a", "{\"rate_per_origin\":0.5,\"burst\":1000000,"
                           "\"breaker\":{\"failures\":1,\"open_seconds\":0.25}}"),
                 0, "%s", err.detail);
    cr_assert_eq(s.rate_limit.rate, 0.5);
    cr_assert_eq(s.rate_limit.burst, 1000000);
    cr_assert_eq(s.breaker.failures, 1);
    cr_assert_eq(s.breaker.open_seconds, 0.25);

    cr_assert_eq(give("a", "{\"breaker\":{}}"), 0);
    cr_assert_eq(s.breaker.failures, 5);
    cr_assert_eq(s.breaker.open_seconds, 10);
}

Test(config_session, rates_and_breakers_that_make_no_sense_are_named)
{
    refuses("{\"rate_per_origin\":0}",
            "rate_per_origin: expected a number above 0 and at most 1000000");
    refuses("{\"rate_per_origin\":1000000.5}",
            "rate_per_origin: expected a number above 0 and at most 1000000");
    refuses("{\"rate_per_origin\":\"2\"}",
            "rate_per_origin: expected a number above 0 and at most 1000000");
    refuses("{\"rate_per_origin\":1,\"burst\":0}", "burst: expected an integer from 1 to 1000000");
    refuses("{\"burst\":2}", "burst: requires rate_per_origin");
    refuses("{\"breaker\":5}", "breaker: expected an object of failures and open_seconds");
    refuses("{\"breaker\":{\"failures\":0}}",
            "breaker.failures: expected an integer from 1 to 1000000");
    refuses("{\"breaker\":{\"open_seconds\":0}}",
            "breaker.open_seconds: expected a number above 0 and at most 86400");
    refuses("{\"breaker\":{\"open_seconds\":86401}}",
            "breaker.open_seconds: expected a number above 0 and at most 86400");
    refuses("{\"breaker\":{\"seconds\":1}}", "unknown key \"breaker.seconds\"");
    refuses("{\"breaker.failures\":1}", "unknown key \"breaker.failures\"");
}

Test(config_session, proxies_are_urls_with_a_host)
{
    cr_assert_eq(give("a", "{\"proxies\":[\"http://p:1\",\"socks5h://q:2\"]}"), 0, "%s",
                 err.detail);
    cr_assert_eq(s.proxy_count, 2);
    cr_assert_str_eq(s.proxies[1], "socks5h://q:2");
    refuses(
        "{\"proxies\":[\"http://p:1\",\"ftp://q\"]}",
        "proxies[1]: must be an http, https, socks4, socks4a, socks5 or socks5h URL with a host");
    refuses("{\"proxies\":[\"http://p:0\"]}", "proxies[0]: the port must be from 1 to 65535");
    refuses("{\"proxies\":[\"http://u%0a@p:1\"]}",
            "proxies[0]: user or password contains a control character");
    refuses("{\"proxies\":\"http://p:1\"}", "proxies: expected a list of strings");
}

Test(config_session, a_name_is_1_to_64_of_a_few_characters)
{
    static const char longest[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";

    cr_assert_eq(strlen(longest), 64);
    cr_assert(config_session_name_valid(longest));
    cr_assert(config_session_name_valid("a"));
    cr_assert(config_session_name_valid("-"));
    cr_assert_not(config_session_name_valid(""));
    cr_assert_not(config_session_name_valid("a b"));
    cr_assert_not(config_session_name_valid("a/b"));
    cr_assert_not(config_session_name_valid("\xC3\xA9"));
    cr_assert_not(config_session_name_valid(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"));
    cr_assert_eq(give("a b", "{}"), -1);
    cr_assert_not_null(strstr(err.detail, "1 to 64"), "%s", err.detail);
}

/* -- in the file -------------------------------------------------------- */

static int
load(struct config *c, const char *text)
{
    char path[] = "/tmp/curlewd-sessions-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    int rc;

    fputs(text, f);
    fclose(f);
    config_init(c);
    rc = config_load(c, path, NULL, &err);
    remove(path);
    return rc;
}

Test(config_session, default_may_be_redefined_and_others_do_not_begin_from_it)
{
    struct config c;

    cr_assert_eq(load(&c, "{\"sessions\":{\"default\":{\"verify\":false,\"idle_seconds\":5},"
                          "\"other\":{\"max_in_flight\":3}}}"),
                 0, "%s", err.detail);
    cr_assert_eq(c.engine.session_count, 2);
    cr_assert_eq(c.engine.sessions[0].idle_seconds, 5);
    cr_assert_not(c.engine.sessions[0].defaults.verify);
    cr_assert_str_eq(c.engine.sessions[1].name, "other");
    cr_assert_eq(c.engine.sessions[1].idle_seconds, 60);
    cr_assert_eq(c.engine.sessions[1].defaults.set, 0);
    config_destroy(&c);
}

Test(config_session, mistakes_in_the_file_are_named_with_their_whole_path)
{
    static const struct {
        const char *text, *detail;
    } cases[] = {
        { "{\"timeout\":{\"idle\":0}}", ": sessions.x.timeout.idle: expected a number of seconds" },
        { "{\"headers\":{\"a b\":\"\"}}", ": sessions.x.headers: \"a b\" is not a header name" },
        { "{\"method\":\"a b\"}", ": sessions.x.method: \"a b\" is not a token" },
        { "{\"cookies\":{\"a\":\";\"}}", ": sessions.x.cookies.a: the value contains" },
        { "{\"colour\":1}", ": unknown key \"sessions.x.colour\"" },
        { "{\"client_key\":\"/k\"}", ": sessions.x.client_key: requires client_cert" },
        { "{\"proxy\":\"http://p:0\"}", ": sessions.x.proxy: the port must be from 1 to 65535" },
        { "1", ": sessions.x: a session is a JSON object" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config c;
        char text[200];

        err = (struct failure){ 0 };
        snprintf(text, sizeof text, "{\"sessions\":{\"x\":%s}}", cases[i].text);
        cr_assert_eq(load(&c, text), -1, "%s", text);
        cr_assert_not_null(strstr(err.detail, cases[i].detail), "%s", err.detail);
        config_destroy(&c);
    }
}

Test(config_session, hosts_are_names_addresses_and_suffixes)
{
    cr_assert_eq(give("a", "{\"hosts\":[\"api.test\",\"*.b.test\",\"192.0.2.1\",\"::1\"]}"), 0,
                 "%s", err.detail);
    cr_assert_eq(s.host_count, 4);
    refuses("{\"hosts\":[]}", "hosts: expected at least one host name, address or *.suffix");
    refuses("{\"hosts\":\"a\"}", "hosts: expected a list of strings");
    refuses("{\"hosts\":[\"a\",\"10.0.0.0/8\"]}",
            "hosts[1]: expected a host name, an address or *.suffix");
    refuses("{\"hosts\":[\"https://a\"]}",
            "hosts[0]: expected a host name, an address or *.suffix");
    cr_assert_eq(give("a", "{\"hosts\":[\"a:443\"]}"), -1);
    cr_assert_eq(strncmp(err.detail, "hosts: \"a:443\": ", 16), 0, "%s", err.detail);
}
