/* test_session_json.c - named sessions as JSON: every key is shown, and no secret. */

#include "message/session_json.h"

#include "message/config_session.h"
#include "message/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The session that this object describes, as it is shown; the caller frees it. */
static json_t *
shown(const char *text)
{
    struct session_config config;
    struct failure err = { 0 };
    struct buffer out;
    struct session *s;
    json_t *object = json_parse(text, strlen(text), &err), *o;

    session_config_init(&config);
    cr_assert_eq(config_session_read(&config, "a", object, &err), 0, "%s", err.detail);
    json_decref(object);
    s = session_new(&config, NULL, &err);
    session_config_destroy(&config);
    cr_assert_not_null(s);
    buffer_init(&out, 1 << 16);
    cr_assert_eq(session_json_write(&out, s), 0);
    o = json_loadb(out.data, out.len, 0, NULL);
    buffer_free(&out);
    session_unref(s);
    return o;
}

static void
shows(json_t *o, const char *key, const char *expected)
{
    char *text = json_dumps(json_object_get(o, key), JSON_ENCODE_ANY | JSON_COMPACT);

    cr_assert_str_eq(text != NULL ? text : "absent", expected, "%s: %s", key, text);
    json_memory_free(text);
}

Test(session_json, every_key_that_a_session_may_hold_can_be_shown)
{
    for (enum request_key key = 0; key < KEY_COUNT; key++) {
        const struct field *f = request_key_field(key);

        if ((f->flags & REQUEST_IN_SESSION) && f->kind != REQUEST_GROUP)
            cr_assert(session_json_can_write(key), "%s", f->name);
    }
}

Test(session_json, a_key_of_a_group_stands_in_its_object)
{
    json_t *o = shown("{\"timeout\":{\"connect\":2,\"total\":5},\"breaker\":{\"failures\":3}}");

    shows(o, "name", "\"a\"");
    shows(json_object_get(o, "timeout"), "connect", "2.0");
    shows(json_object_get(o, "timeout"), "total", "5.0");
    shows(json_object_get(o, "breaker"), "failures", "3");
    json_decref(o);
}

Test(session_json, what_was_not_given_is_not_shown)
{
    json_t *o = shown("{}");

    shows(o, "timeout", "absent");
    shows(o, "headers", "absent");
    shows(o, "burst", "absent");
    json_decref(o);
}

Test(session_json, no_secret_is_shown)
{
    json_t *o = shown("{\"headers\":{\"X-Key\":\"secret\"},\"cookies\":{\"sid\":\"secret\"},"
                      "\"auth\":{\"basic\":[\"u\",\"secret\"]},\"proxy_auth\":[\"u\",\"secret\"],"
                      "\"proxy\":\"http://u:secret@p.test:1\"}");
    char *text = json_dumps(o, 0);

    cr_assert_null(strstr(text, "secret"), "%s", text);
    shows(o, "headers", "{\"X-Key\":\"***\"}");
    shows(o, "cookies", "{\"sid\":\"***\"}");
    shows(o, "auth", "\"***\"");
    shows(o, "proxy", "\"http://***@p.test:1\"");
    json_memory_free(text);
    json_decref(o);
}

Test(session_json, headers_with_a_repeated_name_are_a_list)
{
    json_t *o = shown("{\"headers\":[[\"A\",\"1\"],[\"A\",\"2\"]]}");

    shows(o, "headers", "[[\"A\",\"***\"],[\"A\",\"***\"]]");
    json_decref(o);
}
