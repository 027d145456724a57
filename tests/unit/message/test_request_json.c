/* test_request_json.c - JSON to a request: the keys that are scalars, and the object itself. */

#include "support/request_fixture.h"

TestSuite(message_request, .init = setup, .fini = teardown);

/* -- the object --------------------------------------------------------- */

Test(message_request, a_url_is_enough)
{
    takes("{\"url\":\"http://example.com/a?b=c#d\"}");

    cr_assert_str_eq(r.url, "http://example.com/a?b=c#d");
    cr_assert_null(r.method);
    cr_assert_null(r.body);
    cr_assert_eq(r.set, 0);
    cr_assert_eq(r.total_timeout_ms, 30000);
    cr_assert_eq(r.connect_timeout_ms, 10000);
}

Test(message_request, without_a_url_it_is_refused)
{
    refuses("{}", "url: required");
    refuses("{\"url\":\"\"}", "url: must not be empty");
    refuses("{\"url\":7}", "url: expected a string");
    refuses("{\"url\":null}", "url: expected a string");
}

Test(message_request, what_is_no_object_is_refused)
{
    refuses("[]", "a request is a JSON object");
    refuses("\"http://a/\"", "a request is a JSON object");
    refuses("null", "a request is a JSON object");
}

Test(message_request, an_unknown_key_is_named)
{
    refuses("{\"urll\":\"http://a/\"}", "unknown key \"urll\"");
    refuses("{" URL ",\"URL\":1}", "unknown key \"URL\"");
    refuses("{" URL ",\"\":1}", "unknown key \"\"");
}

Test(message_request, a_long_unknown_key_is_cut_so_that_the_sentence_stands)
{
    refuses("{" URL ",\"timeout\":{\"" /* 120 of x */
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\":1}}",
            "unknown key \"timeout."
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"");
}

Test(message_request, a_key_given_twice_is_named)
{
    refuses("{" URL ",\"tag\":\"a\",\"tag\":\"a\"}", "line 1, column 30: duplicate key: \"tag\"");
}

Test(message_request, NUL_is_refused_wherever_text_leaves_the_daemon)
{
    refuses("{\"url\":\"http://a/\\u0000\"}", "url: must not contain NUL");
    refuses("{" URL ",\"tag\":\"a\\u0000\"}", "tag: must not contain NUL");
    refuses("{" URL ",\"method\":\"GET\\u0000\"}", "method: must not contain NUL");
    refuses("{" URL ",\"session\":\"a\\u0000\"}", "session: must not contain NUL");
    refuses("{" URL ",\"proxy\":\"http://p\\u0000\"}", "proxy: must not contain NUL");
    refuses("{" URL ",\"headers\":{\"a\":\"b\\u0000\"}}", "headers.a: must not contain NUL");
    refuses("{" URL ",\"headers\":[[\"a\\u0000\",\"b\"]]}", "headers[0]: must not contain NUL");
    refuses("{" URL ",\"cookies\":{\"a\":\"b\\u0000\"}}", "cookies.a: must not contain NUL");
    refuses("{" URL ",\"params\":{\"a\":\"b\\u0000\"}}", "params.a: must not contain NUL");
    refuses("{" URL ",\"auth\":{\"bearer\":\"t\\u0000\"}}", "auth.bearer: must not contain NUL");
}

/* -- scalars ------------------------------------------------------------ */

Test(message_request, every_scalar_arrives_and_is_marked_as_given)
{
    takes("{" URL ",\"method\":\"PATCH\",\"follow_redirects\":false,\"max_redirects\":3,"
          "\"verify\":false,\"http_version\":\"2-prior-knowledge\",\"decompress\":false,"
          "\"max_body_bytes\":5,\"response_body\":\"base64\",\"max_recv_speed\":9,"
          "\"session\":\"s\",\"tag\":\"t\",\"timeout\":2.5,\"proxy\":\"socks5h://p:1\"}");

    cr_assert_str_eq(r.method, "PATCH");
    cr_assert_not(r.follow_redirects);
    cr_assert_eq(r.max_redirects, 3);
    cr_assert_not(r.verify);
    cr_assert_eq(r.http_version, HTTP_2_PRIOR_KNOWLEDGE);
    cr_assert_not(r.decompress);
    cr_assert_eq(r.max_body_bytes, 5);
    cr_assert_eq(r.response_body, BODY_BASE64);
    cr_assert_eq(r.max_recv_speed, 9);
    cr_assert_str_eq(r.session, "s");
    cr_assert_str_eq(r.tag, "t");
    cr_assert_eq(r.total_timeout_ms, 2500);
    cr_assert_str_eq(r.proxy, "socks5h://p:1");
    cr_assert_eq(r.set, SET_METHOD | SET_FOLLOW_REDIRECTS | SET_MAX_REDIRECTS | SET_VERIFY |
                            SET_HTTP_VERSION | SET_DECOMPRESS | SET_MAX_BODY_BYTES |
                            SET_RESPONSE_BODY | SET_MAX_RECV_SPEED | SET_TAG | SET_TOTAL_TIMEOUT |
                            SET_PROXY);
}

Test(message_request, counts_are_taken_at_their_limits_and_refused_past_them)
{
    takes("{" URL ",\"max_redirects\":0}");
    takes("{" URL ",\"max_redirects\":100}");
    refuses("{" URL ",\"max_redirects\":101}", "max_redirects: expected an integer from 0 to 100");
    refuses("{" URL ",\"max_redirects\":-1}", "max_redirects: expected an integer from 0 to 100");
    refuses("{" URL ",\"max_redirects\":1.0}", "max_redirects: expected an integer from 0 to 100");
    refuses("{" URL ",\"max_redirects\":true}", "max_redirects: expected an integer from 0 to 100");

    takes("{" URL ",\"max_body_bytes\":0}");
    takes("{" URL ",\"max_body_bytes\":9007199254740992}");
    refuses("{" URL ",\"max_body_bytes\":9007199254740993}",
            "max_body_bytes: expected an integer from 0 to 9007199254740992");
    takes("{" URL ",\"max_recv_speed\":1}");
    refuses("{" URL ",\"max_recv_speed\":0}",
            "max_recv_speed: expected an integer from 1 to 9007199254740992");
}

Test(message_request, booleans_are_true_or_false_only)
{
    refuses("{" URL ",\"verify\":0}", "verify: expected true or false");
    refuses("{" URL ",\"verify\":\"false\"}", "verify: expected true or false");
    refuses("{" URL ",\"verify\":null}", "verify: expected true or false");
    refuses("{" URL ",\"decompress\":1}", "decompress: expected true or false");
    refuses("{" URL ",\"follow_redirects\":[]}", "follow_redirects: expected true or false");
}

Test(message_request, choices_name_all_that_there_is_to_choose)
{
    static const char *const words[] = { "auto", "1.1", "2", "2-prior-knowledge", "3", "3-only" };
    static const enum http_version versions[] = { HTTP_AUTO, HTTP_1_1, HTTP_2,
                                                  HTTP_2_PRIOR_KNOWLEDGE, HTTP_3 };
    char text[80];

    for (size_t i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "{" URL ",\"http_version\":\"%s\"}", words[i]);
        takes(text);
        cr_assert_eq(r.http_version, versions[i]);
    }
    refuses("{" URL ",\"http_version\":2}",
            "http_version: expected one of auto, 1.1, 2, 2-prior-knowledge, 3, 3-only");
    refuses("{" URL ",\"response_body\":\"Text\"}",
            "response_body: expected one of auto, text, base64, none");
}

Test(message_request, a_method_is_a_token)
{
    takes("{" URL ",\"method\":\"M-SEARCH\"}");
    cr_assert_str_eq(r.method, "M-SEARCH");
    refuses("{" URL ",\"method\":\"GET /\"}", "method: \"GET /\" is not a token");
    refuses("{" URL ",\"method\":\"\"}", "method: \"\" is not a token");
    refuses("{" URL ",\"method\":1}", "method: expected a string");
}

Test(message_request, session_and_tag_have_a_length)
{
    char text[5000] = "", *p = text;

    p += sprintf(p, "{" URL ",\"tag\":\"");
    memset(p, 't', 4096);
    strcpy(p + 4096, "\"}");
    takes(text);
    strcpy(p + 4096, "t\"}");
    refuses(text, "tag: expected a string of 0 to 4096 bytes");

    takes("{" URL
          ",\"session\":\"1234567890123456789012345678901234567890123456789012345678901234\"}");
    refuses("{" URL
            ",\"session\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
            "session: expected a string of 1 to 64 bytes");
    refuses("{" URL ",\"session\":\"\"}", "session: must not be empty");
}

/* -- time-outs ---------------------------------------------------------- */

Test(message_request, a_number_is_the_total_timeout)
{
    takes("{" URL ",\"timeout\":86400}");
    cr_assert_eq(r.total_timeout_ms, 86400000);
    cr_assert_eq(r.set, SET_TOTAL_TIMEOUT);

    takes("{" URL ",\"timeout\":0.1}");
    cr_assert_eq(r.total_timeout_ms, 100);
}

Test(message_request, an_object_sets_each_timeout)
{
    takes("{" URL ",\"timeout\":{\"connect\":1,\"total\":2,\"idle\":0.5}}");
    cr_assert_eq(r.connect_timeout_ms, 1000);
    cr_assert_eq(r.total_timeout_ms, 2000);
    cr_assert_eq(r.idle_timeout_ms, 500);
    cr_assert_eq(r.set, SET_CONNECT_TIMEOUT | SET_TOTAL_TIMEOUT | SET_IDLE_TIMEOUT);

    takes("{" URL ",\"timeout\":{\"idle\":3}}");
    cr_assert_eq(r.set, SET_IDLE_TIMEOUT);
    cr_assert_eq(r.total_timeout_ms, 30000);
}

Test(message_request, the_shortest_timeout_is_a_millisecond_never_none)
{
    takes("{" URL ",\"timeout\":1e-9}");
    cr_assert_eq(r.total_timeout_ms, 1);
}

Test(message_request, timeouts_out_of_range_are_named)
{
    static const char range[] = "expected a number of seconds above 0 and at most 86400";
    static const char *const values[] = { "0",    "0.0",   "-1",   "86400.001",
                                          "true", "\"5\"", "null", "[]" };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[100], detail[100];

        snprintf(text, sizeof text, "{" URL ",\"timeout\":%s}", values[i]);
        snprintf(detail, sizeof detail, "timeout: %s", range);
        refuses(text, detail);
        snprintf(text, sizeof text, "{" URL ",\"timeout\":{\"connect\":%s}}", values[i]);
        snprintf(detail, sizeof detail, "timeout.connect: %s", range);
        refuses(text, detail);
    }
    refuses("{" URL ",\"timeout\":{\"conect\":1}}", "unknown key \"timeout.conect\"");
}

/* -- other keys ---------------------------------------------------------- */

Test(message_request, features_of_later_releases_are_unsupported_by_name)
{
    lacks("{" URL ",\"impersonate\":\"chrome\"}",
          "impersonate: this libcurl cannot. Install curl_cffi, and set CURLEW_LIBCURL to the path "
          "of its _wrapper.abi3.so");
}

Test(message_request, the_values_that_ask_for_none_of_them_are_taken)
{
    takes("{" URL ",\"coalesce\":false}");
}

Test(message_request, the_headers_of_a_browser_to_pass_on_are_names)
{
    takes("{" URL ",\"forward_headers\":[\"range\",\"If-None-Match\"]}");
    cr_assert_eq(r.forward.count, 2);
    cr_assert_str_eq(r.forward.items[1].name, "If-None-Match");
    refuses("{" URL ",\"forward_headers\":[\"a b\"]}",
            "forward_headers: \"a b\" is not a header name");
}

Test(message_request, a_wrong_type_of_theirs_is_still_a_bad_request)
{
    refuses("{" URL ",\"coalesce\":1}", "coalesce: expected true or false");
    refuses("{" URL ",\"impersonate\":1}", "impersonate: expected a string");
    refuses("{" URL ",\"forward_headers\":\"range\"}",
            "forward_headers: expected a list of header names");
}

/* -- keys that a session may hold -------------------------------------- */

TestSuite(message_default, .init = setup, .fini = teardown);

static int
give(const char *key, const char *text)
{
    json_t *value = json_parse(text, strlen(text), &err);
    int rc;

    err = (struct failure){ 0 };
    rc = request_json_read_default(&r, &(struct json_path){ NULL, key, 0 }, value, &err);
    json_decref(value);
    return rc;
}

Test(message_default, a_session_holds_what_fits_every_request)
{
    cr_assert_eq(give("timeout", "{\"connect\":2}"), 0);
    cr_assert_eq(give("headers", "{\"User-Agent\":\"x\"}"), 0);
    cr_assert_eq(give("verify", "false"), 0);
    cr_assert_eq(give("auth", "{\"bearer\":\"t\"}"), 0);
    cr_assert_eq(give("method", "\"HEAD\""), 0);

    cr_assert_eq(r.connect_timeout_ms, 2000);
    cr_assert_str_eq(r.headers.items[0].value, "x");
    cr_assert_eq(r.set, SET_CONNECT_TIMEOUT | SET_VERIFY | SET_AUTH | SET_METHOD);
}

Test(message_default, what_belongs_to_one_request_is_refused_by_name)
{
    static const char *const keys[] = { "url",  "params", "body",      "body_base64",
                                        "json", "form",   "multipart", "session" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cr_assert_eq(give(keys[i], "\"x\""), -1, "%s", keys[i]);
        cr_assert_eq(err.error, ERROR_BAD_REQUEST);
        cr_assert_eq(strncmp(err.detail, keys[i], strlen(keys[i])), 0, "%s", err.detail);
    }
}

Test(message_default, another_key_is_not_its_business)
{
    cr_assert_eq(give("cookie_jar", "\"shared\""), 1);
    cr_assert_eq(err.error, ERROR_NONE);
}

Test(message_default, wrong_values_are_refused_as_in_a_request)
{
    cr_assert_eq(give("max_redirects", "101"), -1);
    cr_assert_str_eq(err.detail, "max_redirects: expected an integer from 0 to 100");
    cr_assert_eq(give("retries", "101"), -1);
    cr_assert_str_eq(err.detail, "retries: expected an integer from 0 to 100, or an object");
}

Test(message_default, the_name_of_a_key_inside_a_group_is_none_by_itself)
{
    cr_assert_eq(give("timeout.connect", "1"), 1);
    cr_assert_eq(request_json_find("retries.max"), KEY_COUNT);
    cr_assert_eq(request_json_find("retries"), KEY_RETRY);
}

/* -- the table -------------------------------------------------------------- */

Test(request_table, every_key_can_be_read)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        cr_assert(request_json_can_read(key), "%s", request_key_field(key)->name);
}

Test(request_table, no_two_keys_share_a_name)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        cr_assert_eq(request_key_find(request_key_field(key)->name), key);
}
