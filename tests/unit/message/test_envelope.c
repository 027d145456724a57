/* test_envelope.c - a response as JSON: the contract's envelope, as one document or as a frame. */

#include "message/envelope.h"
#include "message/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct request asked;
static struct response r;
static struct buffer out;

static void
add_header(const char *name, const char *value)
{
    headers_add(&r.head.headers, name, strlen(name), value, strlen(value));
}

static void
set_body(const char *bytes, size_t n)
{
    buffer_clear(&r.body);
    buffer_add(&r.body, bytes, n);
    r.body_bytes = (int64_t)n;
}

static void
setup(void)
{
    request_init(&asked);
    response_init(&r);
    buffer_init(&r.body, 1 << 20);
    buffer_init(&out, 1 << 20);
    r.head.status = 200;
    r.head.reason = "OK";
    r.head.url = "http://a/";
    r.http_version = 11;
}

static void
teardown(void)
{
    request_destroy(&asked);
    response_destroy(&r);
    buffer_free(&out);
}

TestSuite(envelope, .init = setup, .fini = teardown);

/* The envelope, parsed; the caller lets go of it. */
static json_t *
written(void)
{
    struct failure err = { 0 };
    json_t *e;

    buffer_clear(&out);
    cr_assert_eq(envelope_write(&out, &asked, &r, -1), 0);
    e = json_parse(out.data, out.len, &err);
    cr_assert_not_null(e, "%s in %s", err.detail, out.data);
    return e;
}

/* What stands under a key of the envelope, as JSON text; "absent" where nothing does. */
static void
shows(const char *key, const char *expected)
{
    json_t *e = written(), *value = json_object_get(e, key);
    struct buffer text;

    buffer_init(&text, 1 << 20);
    if (value != NULL)
        json_add_value(&text, value);
    else
        buffer_adds(&text, "absent");
    cr_assert_str_eq(text.data, expected, "%s: %s", key, text.data);
    buffer_free(&text);
    json_decref(e);
}

/* -- the whole ---------------------------------------------------------- */

Test(envelope, has_exactly_the_contracts_keys_in_their_order)
{
    add_header("Content-Type", "application/json");
    add_header("Set-Cookie", "k=v");
    set_body("{}", 2);
    r.http_version = 20;
    r.cookies.items = calloc(1, sizeof *r.cookies.items);
    r.cookies.count = 1;
    r.cookies.items[0] = (struct cookie){ .name = strdup("k"),
                                          .value = strdup("v"),
                                          .domain = strdup("a"),
                                          .http_only = true,
                                          .expires = 1700000000 };
    r.history = calloc(1, sizeof *r.history);
    r.history_count = 1;
    r.history[0].status = 302;
    r.history[0].reason = "Found";
    r.history[0].url = "http://b/";
    r.timing = (struct timing){ 0, 0.001, 0.0025, 0.00312345, 0.01, 0.0120004 };
    r.reused = true;
    strcpy(r.remote_ip, "192.0.2.1");
    strcpy(r.local_ip, "192.0.2.2");
    r.remote_port = 443;
    r.local_port = 40000;
    r.bytes_sent = 7;
    r.attempts = 1;

    cr_assert_eq(envelope_write(&out, &asked, &r, -1), 0);
    cr_assert_str_eq(
        out.data,
        "{\"ok\":true,\"status\":200,\"reason\":\"OK\",\"url\":\"http://a/"
        "\",\"http_version\":\"2\","
        "\"headers\":[[\"Content-Type\",\"application/json\"],[\"Set-Cookie\",\"k=v\"]],"
        "\"cookies\":[{\"name\":\"k\",\"value\":\"v\",\"domain\":\"a\",\"host_only\":false,"
        "\"path\":\"/\",\"secure\":false,\"http_only\":true,\"expires\":1700000000,"
        "\"deleted\":false}],"
        "\"encoding\":\"utf-8\",\"body\":\"{}\",\"body_bytes\":2,"
        "\"history\":[{\"status\":302,\"reason\":\"Found\",\"url\":\"http://b/\",\"headers\":[]}],"
        "\"timing\":{\"queue\":0.0,\"dns\":0.001,\"connect\":0.0025,\"tls\":0.003123,"
        "\"first_byte\":0.01,\"total\":0.012},"
        "\"connection\":{\"reused\":true,\"remote_ip\":\"192.0.2.1\",\"remote_port\":443,"
        "\"local_ip\":\"192.0.2.2\",\"local_port\":40000},"
        "\"request\":{\"method\":\"GET\",\"bytes_sent\":7},\"session\":\"default\","
        "\"attempts\":1,\"coalesced\":false}");
}

Test(envelope, tag_and_index_are_there_only_where_given)
{
    shows("tag", "absent");
    shows("index", "absent");

    asked.tag = strdup("a \"tag\"");
    shows("tag", "\"a \\\"tag\\\"\"");
    buffer_clear(&out);
    envelope_write(&out, &asked, &r, 0);
    cr_assert_str_eq(strstr(out.data, ",\"tag\""), ",\"tag\":\"a \\\"tag\\\"\",\"index\":0}");
}

Test(envelope, the_method_is_the_one_that_was_used)
{
    shows("request", "{\"method\":\"GET\",\"bytes_sent\":0}");
    asked.body = strdup("");
    shows("request", "{\"method\":\"POST\",\"bytes_sent\":0}");
    asked.method = strdup("PUT");
    shows("request", "{\"method\":\"PUT\",\"bytes_sent\":0}");
}

Test(envelope, a_multipart_body_makes_it_a_POST)
{
    struct failure err = { 0 };

    request_add_part(&asked, &(struct part){ .name = (char *)"a", .data = (char *)"" }, &err);
    shows("request", "{\"method\":\"POST\",\"bytes_sent\":0}");
}

Test(envelope, names_the_session)
{
    asked.session = strdup("scraper");
    shows("session", "\"scraper\"");
}

Test(envelope, names_every_http_version)
{
    static const struct {
        int version;
        const char *name;
    } versions[] = {
        { 10, "\"1.0\"" }, { 11, "\"1.1\"" }, { 20, "\"2\"" }, { 30, "\"3\"" }, { 0, "null" }
    };

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        r.http_version = versions[i].version;
        shows("http_version", versions[i].name);
    }
}

Test(envelope, header_bytes_are_utf_8_or_else_latin_1)
{
    add_header("a", "\xC3\xA9");
    add_header("b", "caf\xE9 \"\x80\"");
    shows("headers", "[[\"a\",\"\xC3\xA9\"],[\"b\",\"caf\xC3\xA9 \\\"\xC2\x80\\\"\"]]");
    shows("headers_base64", "[[1,\"Y2Fm6SAigCI=\"]]");
}

static bool
has_key(const char *name)
{
    json_t *e = written();
    bool has = json_object_get(e, name) != NULL;

    json_decref(e);
    return has;
}

Test(envelope, what_only_some_messages_have_is_absent_otherwise)
{
    add_header("a", "plain");
    cr_assert_not(has_key("headers_base64"));
    cr_assert_not(has_key("trailers"));
    cr_assert_not(has_key("content_encoding"));
    headers_add(&r.trailers, "Grpc-Status", 11, "0", 1);
    r.content_encoding = strdup("gzip, base64");
    shows("trailers", "[[\"Grpc-Status\",\"0\"]]");
    shows("content_encoding", "\"gzip, base64\"");
}

Test(envelope, is_written_to_exactly_the_buffers_limit)
{
    struct buffer small;

    set_body("some text", 9);
    envelope_write(&out, &asked, &r, -1);
    buffer_init(&small, out.len);
    cr_assert_eq(envelope_write(&small, &asked, &r, -1), 0);
    cr_assert_str_eq(small.data, out.data);
    buffer_free(&small);
    buffer_init(&small, out.len - 1);
    cr_assert_eq(envelope_write(&small, &asked, &r, -1), -1);
    buffer_free(&small);
}

Test(envelope, a_binary_body_past_the_limit_fails_too)
{
    struct buffer small;

    set_body("\xFF\xFE\xFD", 3);
    envelope_write(&out, &asked, &r, -1);
    for (size_t max = 0; max < out.len; max++) {
        buffer_init(&small, max);
        cr_assert_eq(envelope_write(&small, &asked, &r, -1), -1, "limit %zu", max);
        buffer_free(&small);
    }
}

/* -- frames ------------------------------------------------------------- */

Test(envelope, a_frames_head_has_no_body_and_counts_the_bytes_that_follow)
{
    set_body("\xFF\n", 2);
    r.body_bytes = 99;
    cr_assert_eq(envelope_write_head(&out, &asked, &r, 3), 0);

    cr_assert_null(strstr(out.data, "\"body\""));
    cr_assert_null(strstr(out.data, "body_base64"));
    cr_assert_null(strchr(out.data, '\n'));
    cr_assert_not_null(strstr(out.data, "\"encoding\":null,\"body_bytes\":2,\"history\""));
    cr_assert_not_null(strstr(out.data, ",\"index\":3}"));
}

Test(envelope, a_failure_says_what_and_for_which_request)
{
    struct failure f = { .error = ERROR_TIMEOUT, .curl_code = 28, .detail = "30 s" };

    struct response nothing;

    response_init(&nothing);
    asked.tag = strdup("t");
    cr_assert_eq(envelope_write_failure(&out, &asked, &f, &nothing, 4, false), 0);
    cr_assert_str_eq(out.data,
                     "{\"ok\":false,\"error\":{\"type\":\"urn:curlew:problem:timeout\","
                     "\"title\":\"The fetch took too long\",\"status\":504,\"detail\":\"30 s\","
                     "\"code\":\"timeout\",\"curl_code\":28},\"tag\":\"t\",\"index\":4}");
    buffer_clear(&out);
    envelope_write_failure(&out, &asked, &f, &nothing, -1, true);
    cr_assert_not_null(strstr(out.data, "},\"body_bytes\":0,\"tag\":\"t\"}"));
}

Test(envelope, what_is_no_UTF_8_is_told_as_text_and_as_bytes)
{
    const struct cookie latin = {
        .name = (char *)"n\xe9", .value = (char *)"v\xe9", .domain = (char *)"a", .host_only = true
    };
    const struct cookie gone = {
        .name = (char *)"gone", .value = (char *)"", .domain = (char *)"a", .deleted = true
    };

    add_header("A", "plain");
    add_header("B", "caf\xe9");
    add_header("C", "caf\xc3\xa9");
    add_header("D", "\xff");
    cr_assert_eq(cookies_add(&r.cookies, &latin), 0);
    cr_assert_eq(cookies_add(&r.cookies, &gone), 0);

    cr_assert_eq(envelope_write(&out, &asked, &r, -1), 0);
    cr_assert_not_null(strstr(out.data, "[\"D\",\"ÿ\"]],"
                                        "\"headers_base64\":[[1,\"Y2Fm6Q==\"],[3,\"/w==\"]],"));
    cr_assert_not_null(strstr(out.data, "{\"name\":\"né\",\"name_base64\":\"buk=\","
                                        "\"value\":\"vé\",\"value_base64\":\"duk=\","
                                        "\"domain\":\"a\",\"host_only\":true,"));
    cr_assert_not_null(strstr(out.data, "{\"name\":\"gone\",\"value\":\"\","));
    cr_assert_not_null(strstr(out.data, "\"deleted\":true}"));
}

Test(envelope, a_streams_head_has_what_is_known_before_the_body)
{
    static const char *const later[] = { "body",     "body_bytes", "encoding",
                                         "trailers", "coalesced",  "index" };
    struct failure err = { 0 };
    json_t *e;

    add_header("X-Bytes", "caf\xe9");
    headers_add(&r.trailers, "X-Late", 6, "1", 1);
    r.attempts = 2;
    cr_assert_eq(envelope_write_stream_head(&out, &asked, &r), 0);
    e = json_parse(out.data, out.len, &err);
    cr_assert_not_null(e, "%s in %s", err.detail, out.data);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        cr_assert_null(json_object_get(e, later[i]), "%s", later[i]);
    cr_assert_eq(json_integer_value(json_object_get(e, "attempts")), 2);
    cr_assert_not_null(json_object_get(e, "headers_base64"));
    cr_assert_null(json_object_get(json_object_get(e, "timing"), "total"));
    cr_assert_null(json_object_get(json_object_get(e, "request"), "bytes_sent"));
    json_decref(e);
}
