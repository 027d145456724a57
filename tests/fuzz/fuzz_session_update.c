/*
 * fuzz_session_update.c - any bytes as the body of PUT …/v1/sessions/NAME: refused with a reason,
 * or a session that GET shows without its secrets, and that its own picture leaves as it is.
 */

#include "check.h"
#include "fuzz_input.h"
#include "message/config_session.h"
#include "message/json.h"
#include "message/session_json.h"
#include "message/session_update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The stored session's secrets, which a picture must not depend on. */
static const char *const secrets[] = { "hidden", "secret" };

static const char stored[] =
    "{\"headers\": [[\"X-Key\", \"%1$s-1\"], [\"X-Key\", \"%1$s-2\"], [\"A\", null]],"
    " \"cookies\": {\"sid\": \"%1$s-3\"}, \"auth\": {\"basic\": [\"user\", \"%1$s-4\"]},"
    " \"proxy_auth\": [\"user\", \"%1$s-5\"], \"proxy\": \"http://user:%1$s-6@p.test:3128\","
    " \"ca_file\": \"/etc/ssl/certs/ca-certificates.crt\", \"retries\": 2}";

static void
read_stored(struct session_config *s, const char *secret)
{
    struct failure err = { 0 };
    struct buffer text;
    json_t *object;

    buffer_init(&text, SIZE_MAX / 2);
    buffer_printf(&text, stored, secret);
    object = json_parse(text.data, text.len, &err);
    session_config_init(s);
    if (object == NULL || config_session_read(s, "a", object, &err) != 0)
        check_that(false, "the session that is stored", err.detail);
    json_decref(object);
    buffer_free(&text);
}

static void
show(struct buffer *to, const struct session_config *settings)
{
    struct failure err = { 0 };
    struct session *s = session_new(settings, NULL, &err);
    json_t *shown;

    buffer_init(to, SIZE_MAX / 2);
    check_that(s != NULL && session_json_write(to, s) == 0, "it can be shown", err.detail);
    shown = json_parse(to->data, to->len, &err);
    check_that(shown != NULL, "what is shown is JSON", to->data);
    json_decref(shown);
    session_unref(s);
}

static void
put_back(const struct session_config *settings)
{
    struct session_config again;
    struct failure err = { 0 };
    struct buffer first, second;

    show(&first, settings);
    session_config_init(&again);
    check_that(session_update_read(&again, "a", first.data, first.len, settings, false, &err) == 0,
               "its picture is taken", err.detail);
    show(&second, &again);
    check_that(first.len == second.len && memcmp(first.data, second.data, first.len) == 0,
               "the same picture", second.data);
    session_config_destroy(&again);
    buffer_free(&first);
    buffer_free(&second);
}

/* The new session's picture, over a stored one with these secrets; nothing where it is refused. */
static void
update(struct buffer *picture, struct fuzz_input in, size_t how, const char *secret)
{
    struct session_config old, s;
    struct failure err = { 0 };

    read_stored(&old, secret);
    session_config_init(&s);
    buffer_init(picture, SIZE_MAX / 2);
    if (session_update_read(&s, "a", (const char *)in.at, in.left, how == 0 ? NULL : &old, how == 3,
                            &err) == 0) {
        put_back(&s);
        show(picture, &s);
    } else
        check_refusal(&err);
    session_config_destroy(&s);
    session_config_destroy(&old);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    size_t how = take_below(&in, 4);
    struct buffer pictures[2];

    for (size_t i = 0; i < 2; i++)
        update(&pictures[i], in, how, secrets[i]);
    check_that(pictures[0].len == pictures[1].len &&
                   (pictures[0].len == 0 ||
                    memcmp(pictures[0].data, pictures[1].data, pictures[0].len) == 0),
               "no secret is shown", pictures[1].data);
    for (size_t i = 0; i < 2; i++)
        buffer_free(&pictures[i]);
    return 0;
}
