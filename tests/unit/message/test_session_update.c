/* test_session_update.c - the body of PUT …/v1/sessions/NAME: what "***" keeps, what is refused. */

#include "message/session_update.h"

#include "message/config_session.h"
#include "message/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session_config old, s;
static struct failure err;

static void
store(const char *text)
{
    json_t *object = json_parse(text, strlen(text), &err);

    session_config_destroy(&old);
    session_config_init(&old);
    cr_assert_eq(config_session_read(&old, "a", object, &err), 0, "%s", err.detail);
    json_decref(object);
}

static int
update_as(bool is_limited, const char *text, const struct session_config *stored)
{
    session_config_destroy(&s);
    session_config_init(&s);
    err = (struct failure){ 0 };
    return session_update_read(&s, "a", text, strlen(text), stored, is_limited, &err);
}

static int
update(const char *text, const struct session_config *stored)
{
    return update_as(false, text, stored);
}

static void
keeps(const char *text)
{
    cr_assert_eq(update(text, &old), 0, "%s: %s", text, err.detail);
}

static void
refuses(const char *text, const struct session_config *stored, const char *detail)
{
    cr_assert_eq(update(text, stored), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

static void
setup(void)
{
    session_config_init(&old);
    session_config_init(&s);
}

static void
teardown(void)
{
    session_config_destroy(&old);
    session_config_destroy(&s);
}

TestSuite(session_update, .init = setup, .fini = teardown);

Test(session_update, three_stars_keep_credentials)
{
    store("{\"auth\":{\"basic\":[\"u\",\"p\"]},\"proxy_auth\":[\"pu\",\"pp\"]}");
    keeps("{\"auth\":\"***\",\"proxy_auth\":\"***\"}");
    cr_assert_eq(s.defaults.auth, AUTH_BASIC);
    cr_assert_str_eq(s.defaults.auth_pair.password, "p");
    cr_assert_str_eq(s.defaults.proxy_auth.user, "pu");
    cr_assert_eq(s.defaults.set, SET_AUTH | SET_PROXY_AUTH);
}

Test(session_update, three_stars_keep_one_secret_within_a_value)
{
    store("{\"auth\":{\"digest\":[\"u\",\"p\"]},\"proxy_auth\":[\"pu\",\"pp\"]}");
    keeps("{\"auth\":{\"digest\":[\"u\",\"***\"]},\"proxy_auth\":[\"pu\",\"***\"]}");
    cr_assert_str_eq(s.defaults.auth_pair.password, "p");
    cr_assert_str_eq(s.defaults.proxy_auth.password, "pp");
    store("{\"auth\":{\"bearer\":\"t0ken\"}}");
    keeps("{\"auth\":{\"bearer\":\"***\"}}");
    cr_assert_str_eq(s.defaults.auth_token, "t0ken");
}

Test(session_update, three_stars_are_never_stored_as_a_secret)
{
    static const char kept[] = "\"***\" keeps the stored value, and none is stored";
    static const char both[] =
        "\"***\" stands for user and password together, as in http://***@host";
    static const struct {
        const char *text, *key, *detail;
    } rows[] = {
        { "{\"auth\":{\"bearer\":\"***\"}}", "auth", kept },
        { "{\"auth\":{\"basic\":[\"u\",\"***\"]}}", "auth", kept },
        { "{\"auth\":{\"digest\":[\"other\",\"***\"]}}", "auth", kept },
        { "{\"proxy_auth\":[\"pu\",\"***\"]}", "proxy_auth", kept },
        { "{\"proxy\":\"http://u:***@h:1\"}", "proxy", both },
        { "{\"proxies\":[\"http://h:1\",\"http://u:***@h:1\"]}", "proxies", both },
    };

    store("{\"auth\":{\"digest\":[\"u\",\"p\"]},\"proxy\":\"http://u:p@h:1\"}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char detail[200];

        snprintf(detail, sizeof detail, "%s: %s", rows[i].key, rows[i].detail);
        refuses(rows[i].text, &old, detail);
        refuses(rows[i].text, NULL, detail);
    }
}

Test(session_update, three_stars_keep_headers_by_name_and_order)
{
    store("{\"headers\":[[\"A\",\"1\"],[\"B\",\"2\"],[\"a\",\"3\"],[\"C\",null]]}");
    keeps("{\"headers\":[[\"B\",\"***\"],[\"A\",\"new\"],[\"A\",\"***\"],[\"D\",\"4\"]]}");
    cr_assert_eq(s.defaults.headers.count, 4);
    cr_assert_str_eq(s.defaults.headers.items[0].value, "2");
    cr_assert_str_eq(s.defaults.headers.items[1].value, "new");
    cr_assert_str_eq(s.defaults.headers.items[2].value, "3");
    cr_assert_str_eq(s.defaults.headers.items[3].value, "4");
    refuses("{\"headers\":{\"C\":\"***\"}}", &old,
            "headers.C: \"***\" keeps the stored value, and none is stored");
}

Test(session_update, three_stars_keep_a_cookie_of_the_same_name_domain_and_path)
{
    store("{\"cookies\":[{\"name\":\"n\",\"value\":\"1\"},"
          "{\"name\":\"n\",\"value\":\"2\",\"domain\":\"d.test\"}]}");
    keeps("{\"cookies\":[{\"name\":\"n\",\"value\":\"***\",\"domain\":\"d.test\"},"
          "{\"name\":\"n\",\"value\":\"***\"}]}");
    cr_assert_str_eq(s.defaults.cookies.items[0].value, "2");
    cr_assert_str_eq(s.defaults.cookies.items[1].value, "1");
    refuses("{\"cookies\":[{\"name\":\"n\",\"value\":\"***\",\"path\":\"/x\"}]}", &old,
            "cookies.n: \"***\" keeps the stored value, and none is stored");
}

Test(session_update, three_stars_keep_the_bytes_of_a_cookie)
{
    store("{\"cookies\":[{\"name_base64\":\"buk=\",\"value_base64\":\"duk=\","
          "\"domain\":\"d.test\",\"host_only\":true}]}");
    keeps("{\"cookies\":[{\"name_base64\":\"buk=\",\"value\":\"***\","
          "\"domain\":\"d.test\",\"host_only\":true}]}");
    cr_assert_str_eq(s.defaults.cookies.items[0].name, "n\xe9");
    cr_assert_str_eq(s.defaults.cookies.items[0].value, "v\xe9");
    refuses("{\"cookies\":[{\"name_base64\":\"buk=\",\"value\":\"***\","
            "\"domain\":\"d.test\"}]}",
            &old, "cookies.n?: \"***\" keeps the stored value, and none is stored");
}

Test(session_update, a_masked_proxy_keeps_the_one_that_is_shown_so)
{
    store("{\"proxy\":\"http://u:p@h:1\","
          "\"proxies\":[\"http://a:1@h:2\",\"http://b:2@h:2\",\"http://h:3\"]}");
    keeps("{\"proxy\":\"http://***@h:1\","
          "\"proxies\":[\"http://h:3\",\"http://***@h:2\",\"http://***@h:2\"]}");
    cr_assert_str_eq(s.defaults.proxy, "http://u:p@h:1");
    cr_assert_str_eq(s.proxies[1], "http://a:1@h:2");
    cr_assert_str_eq(s.proxies[2], "http://b:2@h:2");
    refuses("{\"proxy\":\"http://***@elsewhere:1\"}", &old,
            "proxy: \"***\" keeps the stored value, and none is stored");
    refuses("{\"proxies\":[\"http://***@elsewhere:1\"]}", &old,
            "proxies: \"***\" keeps the stored value, and none is stored");
}

/* An "@" of the path belongs to no user. */
Test(session_update, only_the_user_of_a_proxy_is_masked)
{
    store("{\"proxy\":\"http://u:p@h:1/***@x\",\"proxies\":[\"http:///u:p@h:1\"]}");
    keeps("{\"proxy\":\"http://***@h:1/***@x\",\"proxies\":[\"http:///***@h:1\"]}");
    cr_assert_str_eq(s.defaults.proxy, "http://u:p@h:1/***@x");
    cr_assert_str_eq(s.proxies[0], "http:///u:p@h:1");
    keeps("{\"proxy\":\"http://h/a:***@b\",\"proxies\":[\"http://h?://***@x\"]}");
    cr_assert_str_eq(s.defaults.proxy, "http://h/a:***@b");
    cr_assert_str_eq(s.proxies[0], "http://h?://***@x");
}

Test(session_update, three_stars_are_refused_where_nothing_is_stored)
{
    store("{\"timeout\":1}");
    for (int i = 0; i < 2; i++) {
        const struct session_config *stored = i == 0 ? NULL : &old;

        refuses("{\"auth\":\"***\"}", stored,
                "auth: \"***\" keeps the stored value, and none is stored");
        refuses("{\"proxy_auth\":\"***\"}", stored,
                "proxy_auth: \"***\" keeps the stored value, and none is stored");
        refuses("{\"headers\":{\"X\":\"***\"}}", stored,
                "headers.X: \"***\" keeps the stored value, and none is stored");
        refuses("{\"cookies\":{\"c\":\"***\"}}", stored,
                "cookies.c: \"***\" keeps the stored value, and none is stored");
        refuses("{\"proxy\":\"http://***@h\"}", stored,
                "proxy: \"***\" keeps the stored value, and none is stored");
    }
}

Test(session_update, what_is_no_secret_means_what_it_says)
{
    keeps("{\"tag\":\"***\",\"method\":\"***\"}");
    cr_assert_str_eq(s.defaults.tag, "***");
    cr_assert_str_eq(s.defaults.method, "***");
}

Test(session_update, a_caller_names_no_file_but_the_ones_the_session_has)
{
    store("{\"ca_file\":\"/ca\",\"client_cert\":\"/c\",\"client_key\":\"/k\"}");
    keeps("{\"ca_file\":\"/ca\",\"client_cert\":\"/c\",\"client_key\":\"***\"}");
    cr_assert_str_eq(s.ca_file, "/ca");
    cr_assert_str_eq(s.client_cert, "/c");
    cr_assert_str_eq(s.client_key, "/k");
    refuses("{\"ca_file\":\"/c\"}", &old, "ca_file: only the configuration may name files");
    refuses("{\"client_cert\":\"/c\"}", NULL, "client_cert: only the configuration may name files");
    refuses("{\"client_key\":\"/k\"}", &old, "client_key: only the configuration may name files");
}

Test(session_update, what_get_shows_besides_the_keys_is_accepted)
{
    keeps("{\"name\":\"a\",\"at_run_time\":false,\"in_flight\":3}");
    refuses("{\"name\":\"b\"}", &old, "name: expected the name that stands in the URL");
    refuses("{\"at_run_time\":1}", &old, "at_run_time: expected true or false");
    refuses("{\"in_flight\":\"1\"}", &old, "in_flight: expected an integer");
}

Test(session_update, a_body_is_needed)
{
    refuses("", NULL, "the body is empty; expected a session object");
    refuses("[]", NULL, "a session is a JSON object");
}

/* -- callers who are not the operator -------------------------------------------- */

#define ONE "http://one:1"
#define TWO "http://two:1"

Test(session_update, a_limited_caller_has_no_proxy_resolve_names)
{
    cr_assert_eq(update_as(true, "{\"proxy_resolves\":true}", NULL), -1);
    cr_assert_eq(strncmp(err.detail, "proxy_resolves: only the configuration", 38), 0, "%s",
                 err.detail);
    cr_assert_eq(update_as(true, "{\"proxy\":\"" ONE "\"}", NULL), 0);
    cr_assert_not(session_lets_resolve(&s, ONE));
    store("{\"proxies\":[\"" ONE "\"]}");
    cr_assert_eq(update_as(true, "{\"proxies\":[\"" ONE "\",\"" TWO "\"]}", &old), 0);
    cr_assert_not(session_lets_resolve(&s, ONE) || session_lets_resolve(&s, TWO));
    cr_assert_eq(update_as(true, "{\"proxy\":\"" TWO "\"}", &old), 0);
    cr_assert_not(session_lets_resolve(&s, TWO));
}

Test(session_update, a_limited_caller_keeps_what_the_operator_has_let)
{
    store("{\"proxies\":[\"" ONE "\",\"" TWO "\"]}");
    cr_assert_eq(update_as(true, "{\"proxies\":[\"" TWO "\"],\"tag\":\"t\"}", &old), 0);
    cr_assert(session_lets_resolve(&s, TWO));
    store("{\"proxy_resolves\":true}");
    cr_assert_eq(update_as(true, "{\"proxy_resolves\":true}", &old), 0, "%s", err.detail);
    cr_assert(session_lets_resolve(&s, ONE));
}

Test(session_update, a_proxys_credentials_go_to_no_proxy_of_a_limited_callers)
{
    static const char *const elsewhere[] = {
        "{\"proxy\":\"" TWO "\",\"proxy_auth\":\"***\"}",
        "{\"proxy\":\"" TWO "\",\"proxy_auth\":[\"u\",\"***\"]}",
        "{\"proxies\":[\"" ONE "\",\"" TWO "\"],\"proxy_auth\":\"***\"}",
    };
    static const char there[] = "{\"proxy\":\"" ONE "\",\"proxy_auth\":\"***\"}";

    store("{\"proxy\":\"" ONE "\",\"proxy_auth\":[\"u\",\"p\"],\"proxy_resolves\":true}");
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        cr_assert_eq(update_as(true, elsewhere[i], &old), -1, "%s", elsewhere[i]);
        cr_assert_eq(err.error, ERROR_FORBIDDEN);
        cr_assert_eq(strncmp(err.detail, "proxy_auth: ", 12), 0, "%s", err.detail);
        keeps(elsewhere[i]);
    }
    cr_assert_eq(update_as(true, there, &old), 0, "%s", err.detail);
    cr_assert_str_eq(s.defaults.proxy_auth.password, "p");
    cr_assert_eq(update_as(true, "{\"proxy_auth\":\"***\"}", &old), 0, "%s", err.detail);
    cr_assert_eq(update_as(true, "{\"proxy\":\"" TWO "\",\"proxy_auth\":[\"u\",\"q\"]}", &old), 0,
                 "%s", err.detail);
    store("{\"proxy_auth\":[\"u\",\"p\"]}");
    cr_assert_eq(update_as(true, there, &old), -1, "of a proxy that each request names");
}

Test(session_update, the_operator_may_let_proxies_resolve_names_again)
{
    store("{\"proxy\":\"" ONE "\"}");
    old.proxies_by_limited = true;
    cr_assert_eq(update_as(true, "{\"proxy\":\"" ONE "\"}", &old), 0);
    cr_assert_not(session_lets_resolve(&s, ONE));
    keeps("{\"proxy\":\"" ONE "\"}");
    cr_assert(session_lets_resolve(&s, ONE));
    keeps("{\"proxy_resolves\":true}");
}

Test(session_update, a_limited_caller_cannot_send_stored_secrets_to_other_hosts)
{
    store("{\"headers\":{\"X\":\"secret\"},\"hosts\":[\"a.test\",\"b.test\"]}");
    cr_assert_eq(update_as(true, "{\"headers\":{\"X\":\"***\"},\"hosts\":[\"c.test\"]}", &old), -1);
    cr_assert_eq(err.error, ERROR_FORBIDDEN);
    cr_assert_str_eq(err.detail, "hosts: with this token only those that the session has");
    cr_assert_eq(update_as(true, "{\"headers\":{\"X\":\"***\"}}", &old), 0, "%s", err.detail);
    cr_assert_eq(s.host_count, 2);
    cr_assert_eq(update_as(true, "{\"hosts\":[\"b.test\"]}", &old), 0);
    cr_assert_eq(s.host_count, 1);
    cr_assert_eq(update_as(true, "{\"hosts\":[\"c.test\"]}", NULL), 0);
    cr_assert_eq(update("{\"hosts\":[\"c.test\"]}", &old), 0, "the operator may");
}

/* -- a token that is limited to certain sessions -------------------------------- */

static int
update_limited(const char *text, const struct session_config *stored)
{
    return update_as(true, text, stored);
}

Test(session_update, a_limited_token_keeps_the_operators_limits_that_it_does_not_name)
{
    store("{\"max_in_flight\":5,\"rate_per_origin\":2,\"burst\":3,\"breaker\":{\"failures\":4},"
          "\"timeout\":9}");
    cr_assert_eq(update_limited("{\"tag\":\"t\"}", &old), 0, "%s", err.detail);
    cr_assert_eq(s.max_in_flight, 5);
    cr_assert_eq(s.rate_limit.rate, 2);
    cr_assert_eq(s.rate_limit.burst, 3);
    cr_assert_eq(s.breaker.failures, 4);
    cr_assert_eq(s.breaker.open_seconds, 10);
    cr_assert_eq(s.defaults.set, SET_TAG, "all else is replaced");
}

Test(session_update, a_limited_token_may_lower_a_limit_and_not_raise_it)
{
    store("{\"max_in_flight\":5}");
    cr_assert_eq(update_limited("{\"max_in_flight\":4}", &old), 0);
    cr_assert_eq(update_limited("{\"max_in_flight\":5}", &old), 0);
    cr_assert_eq(update_limited("{\"max_in_flight\":6}", &old), -1);
    cr_assert_eq(err.error, ERROR_FORBIDDEN);
    cr_assert_str_eq(err.detail, "max_in_flight: with this token at most 5");
    cr_assert_eq(update("{\"max_in_flight\":6}", &old), 0, "another token may");
    cr_assert_not(s.by_limited_token);
}

Test(session_update, a_breaker_that_is_named_counts_whole)
{
    store("{\"breaker\":{\"failures\":3,\"open_seconds\":20}}");
    cr_assert_eq(update_limited("{\"breaker\":{}}", &old), -1);
    cr_assert_str_eq(err.detail, "breaker.failures: with this token at most 3");
    cr_assert_eq(update_limited("{\"breaker\":{\"failures\":2}}", &old), -1);
    cr_assert_str_eq(err.detail, "breaker.open_seconds: with this token at least 20");
    cr_assert_eq(update_limited("{\"breaker\":{\"failures\":2,\"open_seconds\":30}}", &old), 0);
}
