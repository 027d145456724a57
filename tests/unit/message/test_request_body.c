/* test_request_body.c - JSON to a request: bodies, headers, params and cookies. */

#include "support/request_fixture.h"

TestSuite(message_body, .init = setup, .fini = teardown);

static void
has_body(const char *bytes, size_t n, const char *type)
{
    cr_assert_eq(r.body_size, n, "%zu bytes", r.body_size);
    cr_assert_not_null(r.body);
    cr_assert_eq(memcmp(r.body, bytes, n), 0, "%s", r.body);
    cr_assert_eq(r.body[n], '\0');
    cr_assert_str_eq(r.body_type, type);
}

/* -- bodies ------------------------------------------------------------- */

Test(message_body, text_is_utf_8_and_may_hold_NUL)
{
    takes("{" URL ",\"body\":\"a\\u0000\\u00e9\"}");
    has_body("a\0\xC3\xA9", 4, "text/plain; charset=utf-8");
    takes("{" URL ",\"body\":\"\"}");
    has_body("", 0, "text/plain; charset=utf-8");
    refuses("{" URL ",\"body\":{\"a\":1}}", "body: expected a string");
}

Test(message_body, base64_is_bytes)
{
    takes("{" URL ",\"body_base64\":\"AP8=\"}");
    has_body("\0\xFF", 2, "application/octet-stream");
    takes("{" URL ",\"body_base64\":\"\"}");
    has_body("", 0, "application/octet-stream");
    refuses("{" URL ",\"body_base64\":\"AP8\"}",
            "body_base64: not base64 (RFC 4648 section 4, with padding)");
    refuses("{" URL ",\"body_base64\":7}", "body_base64: expected a base64 string");
}

Test(message_body, json_is_compact_and_keeps_its_order)
{
    static const char body[] = "{\"z\":[1,2.50e0,19.99],\"a\":null,\"m\":\"\xC3\xA9\\n\"}";

    takes("{" URL ",\"json\": { \"z\": [1, 2.50e0, 19.99], \"a\": null, \"m\": \"\\u00e9\\n\" } }");
    has_body("{\"z\":[1,2.5,19.99],\"a\":null,\"m\":\"\xC3\xA9\\n\"}", sizeof body - 4,
             "application/json");
    takes("{" URL ",\"json\":null}");
    has_body("null", 4, "application/json");
}

Test(message_body, a_form_is_urlencoded_with_plus_for_a_space)
{
    takes("{" URL
          ",\"form\":{\"a b\":\"c d+e&f=g\",\"n\":1,\"x\":1.5,\"t\":true,\"l\":[\"1\",2]}}");
    has_body("a+b=c+d%2Be%26f%3Dg&n=1&x=1.5&t=true&l=1&l=2",
             strlen("a+b=c+d%2Be%26f%3Dg&n=1&x=1.5&t=true&l=1&l=2"),
             "application/x-www-form-urlencoded");
    takes("{" URL ",\"form\":[[\"a\",\"1\"],[\"a\",\"\\u0000\"]]}");
    has_body("a=1&a=%00", 9, "application/x-www-form-urlencoded");
    takes("{" URL ",\"form\":{}}");
    has_body("", 0, "application/x-www-form-urlencoded");
}

Test(message_body, a_form_value_of_another_type_is_refused_by_place)
{
    refuses("{" URL ",\"form\":{\"a\":null}}",
            "form.a: expected a string, a number, true, false or a list of these");
    refuses("{" URL ",\"form\":[[\"a\",[\"b\",{}]]]}",
            "form[0][1]: expected a string, a number, true, false or a list of these");
    refuses("{" URL ",\"form\":\"a=b\"}", "form: expected an object or a list of [name, value]");
    refuses("{" URL ",\"form\":[[\"a\"]]}", "form[0]: expected [name, value]");
    refuses("{" URL ",\"form\":[[\"a\",\"b\",\"c\"]]}", "form[0]: expected [name, value]");
    refuses("{" URL ",\"form\":[[1,\"b\"]]}", "form[0]: expected [name, value]");
}

Test(message_body, multipart_parts_arrive_in_order)
{
    takes("{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"x\\u0000y\"},"
          "{\"name\":\"f\",\"value_base64\":\"AP8=\",\"filename\":\"f.bin\","
          "\"content_type\":\"image/png\"},{\"name\":\"e\",\"value\":\"\"}]}");

    cr_assert_null(r.body);
    cr_assert_null(r.body_type);
    cr_assert_eq(r.part_count, 3);
    cr_assert_str_eq(r.parts[0].name, "a");
    cr_assert_eq(r.parts[0].size, 3);
    cr_assert_arr_eq(r.parts[0].data, "x\0y", 3);
    cr_assert_null(r.parts[0].filename);
    cr_assert_eq(r.parts[1].size, 2);
    cr_assert_arr_eq(r.parts[1].data, "\0\xFF", 2);
    cr_assert_str_eq(r.parts[1].filename, "f.bin");
    cr_assert_str_eq(r.parts[1].content_type, "image/png");
    cr_assert_eq(r.parts[2].size, 0);
}

Test(message_body, multipart_mistakes_are_named)
{
    refuses("{" URL ",\"multipart\":[]}", "multipart: expected a list of at least one part");
    refuses("{" URL ",\"multipart\":{}}", "multipart: expected a list of at least one part");
    refuses("{" URL ",\"multipart\":[1]}", "multipart[0]: expected an object with name and value");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"\",\"file\":\"\"}]}",
            "unknown key \"multipart[0].file\"");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\"}]}",
            "multipart[0]: name and value (or value_base64) are required");
    refuses("{" URL ",\"multipart\":[{\"value\":\"a\"}]}",
            "multipart[0]: name and value (or value_base64) are required");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"\",\"value_base64\":\"\"}]}",
            "multipart[0].value_base64: a part has a value or a value_base64, not both");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"value_base64\":\"!\"}]}",
            "multipart[0].value_base64: not base64 (RFC 4648 section 4, with padding)");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":1}]}",
            "multipart[0].value: expected a string");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"content_type\":\"x\\r\\ny\"}]}",
            "multipart[0].content_type: must not contain CR or LF");
}

#define PART(headers) \
    "{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"\",\"headers\":" headers "}]}"

Test(message_body, a_part_has_headers_of_its_own)
{
    takes(PART("{\"X-A\":\"1\",\"X-B\":\"\"}"));
    cr_assert_eq(r.parts[0].headers.count, 2);
    cr_assert_str_eq(r.parts[0].headers.items[1].name, "X-B");
    cr_assert_str_eq(r.parts[0].headers.items[1].value, "");
    takes(PART("[[\"X-A\",\"1\"],[\"X-A\",{\"base64\":\"6Q==\"}]]"));
    cr_assert_eq(r.parts[0].headers.count, 2);
    cr_assert_str_eq(r.parts[0].headers.items[1].value, "\xe9");
    cr_assert_eq(r.headers.count, 0);
    takes(PART("{}"));
}

Test(message_body, headers_of_a_part_are_checked_like_the_requests)
{
    refuses(PART("{\"X\":\"a\\r\\nY: b\"}"),
            "multipart[0].headers.X: CR, LF and NUL are not allowed in a value");
    refuses(PART("{\"X\":\"\\u0000\"}"), "multipart[0].headers.X: must not contain NUL");
    refuses(PART("{\"X \":\"\"}"), "multipart[0].headers: \"X \" is not a header name");
    refuses(PART("{\"X\":null}"), "multipart[0].headers.X: expected a string or {\"base64\": …}");
    refuses(PART("{\"X\":1}"),
            "multipart[0].headers.X: expected a string, {\"base64\": …}, or null to remove the "
            "header");
    refuses(PART("7"), "multipart[0].headers: expected an object or a list of [name, value]");
    refuses(PART("{\"content-disposition\":\"x\"}"), "multipart[0].headers.content-disposition: "
                                                     "follows from the part's name and filename");
    refuses(PART("{\"Content-Type\":\"x\"}"),
            "multipart[0].headers.Content-Type: follows from the part's content_type");
}

Test(message_body, headers_of_all_parts_together_are_limited)
{
    static const char two[] =
        "{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"\",\"headers\":{\"X\":\"\"}},"
        "{\"name\":\"b\",\"value\":\"\",\"headers\":{\"X\":\"\"}}]}";

    r.most.headers = 2;
    cr_assert_eq(request_json_parse(&r, two, strlen(two), &err), 0, "%s", err.detail);
    teardown();
    setup();
    r.most.headers = 1;
    cr_assert_eq(request_json_parse(&r, two, strlen(two), &err), -1);
    cr_assert_str_eq(err.detail, "multipart[1].headers: over 1 (limits.headers)");
}

Test(message_body, there_is_at_most_one)
{
    refuses("{" URL ",\"body\":\"\",\"json\":1}",
            "json: a request has one body, and \"body\" is already given");
    refuses("{" URL ",\"multipart\":[{\"name\":\"a\",\"value\":\"\"}],\"form\":{}}",
            "form: a request has one body, and \"multipart\" is already given");
    refuses("{" URL ",\"form\":{},\"body_base64\":\"\"}",
            "body_base64: a request has one body, and \"form\" is already given");
    refuses("{" URL ",\"json\":1,\"multipart\":[]}",
            "multipart: a request has one body, and \"json\" is already given");
    refuses("{" URL ",\"json\":1,\"body\":\"\"}",
            "body: a request has one body, and \"json\" is already given");
}

/* -- cookies ------------------------------------------------------------ */

Test(message_body, cookies_are_an_object_or_a_list)
{
    takes("{" URL ",\"cookies\":{\"a\":\"1\",\"b\":\"2\"}}");
    cr_assert_eq(r.cookies.count, 2);
    cr_assert_str_eq(r.cookies.items[1].name, "b");
    cr_assert_str_eq(r.cookies.items[1].value, "2");
    cr_assert_null(r.cookies.items[1].domain);

    takes("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"1\",\"domain\":\".example.com\","
          "\"path\":\"/x\",\"secure\":true,\"http_only\":true,\"expires\":1700000000.5},"
          "{\"name\":\"b\",\"value\":\"\"}]}");
    cr_assert_eq(r.cookies.count, 2);
    cr_assert_str_eq(r.cookies.items[0].domain, "example.com");
    cr_assert_str_eq(r.cookies.items[0].path, "/x");
    cr_assert(r.cookies.items[0].secure);
    cr_assert(r.cookies.items[0].http_only);
    cr_assert_eq(r.cookies.items[0].expires, 1700000000);
    cr_assert_eq(r.cookies.items[1].expires, 0);
}

Test(message_body, what_an_envelope_says_of_cookies_is_taken_back)
{
    takes("{" URL ",\"cookies\":[{\"name\":\"n\\u00e9\",\"name_base64\":\"buk=\","
          "\"value\":\"v\\u00e9\",\"value_base64\":\"duk=\",\"domain\":\"a.test\","
          "\"host_only\":true,\"path\":\"/\",\"secure\":false,\"http_only\":false,"
          "\"expires\":0,\"deleted\":false},"
          "{\"name\":\"gone\",\"value\":\"\",\"domain\":\"a.test\",\"deleted\":true},"
          "{\"value_base64\":\"eA==\",\"name\":\"\",\"value\":\"y\"}]}");
    cr_assert_eq(r.cookies.count, 2);
    cr_assert_str_eq(r.cookies.items[0].name, "n\xe9");
    cr_assert_str_eq(r.cookies.items[0].value, "v\xe9");
    cr_assert(r.cookies.items[0].host_only);
    cr_assert_str_eq(r.cookies.items[1].name, "");
    cr_assert_str_eq(r.cookies.items[1].value, "x", "the bytes win");
}

Test(message_body, cookies_that_are_none_are_refused)
{
    refuses("{" URL ",\"cookies\":\"a=1\"}", "cookies: expected an object or a list of cookies");
    refuses("{" URL ",\"cookies\":{\"a\":1}}", "cookies.a: expected a string");
    refuses("{" URL ",\"cookies\":[[\"a\",\"1\"]]}",
            "cookies[0]: expected an object with name and value");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\"}]}", "cookies[0]: name and value are required");
    refuses("{" URL ",\"cookies\":[{\"value\":\"a\"}]}", "cookies[0]: name and value are required");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"\",\"samesite\":\"lax\"}]}",
            "unknown key \"cookies[0].samesite\"");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"\",\"expires\":-1}]}",
            "cookies[0].expires: expected seconds since 1970, 0 for a session cookie");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"\",\"path\":\"x\"}]}",
            "cookies[0].path: expected an absolute path");
    refuses("{" URL ",\"cookies\":{\"a\":\"1; b=2\"}}",
            "cookies.a: the value contains a semicolon or control character");
    refuses("{" URL ",\"cookies\":{\"a=b\":\"1\"}}", "cookies: \"a=b\" is not a cookie name");
    refuses("{" URL ",\"cookies\":{\"\":\"\"}}", "cookies: one has neither name nor value");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value_base64\":\"%\"}]}",
            "cookies[0].value_base64: expected base64 (RFC 4648 section 4) of bytes without NUL");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value_base64\":\"AA==\"}]}",
            "cookies[0].value_base64: expected base64 (RFC 4648 section 4) of bytes without NUL");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value_base64\":1}]}",
            "cookies[0].value_base64: expected base64 text");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value\":\"\",\"host_only\":1}]}",
            "cookies[0].host_only: expected true or false");
    refuses("{" URL ",\"cookies\":[{\"name\":\"a\",\"value_base64\":\"Ow==\"}]}",
            "cookies.a: the value contains a semicolon or control character");
}
