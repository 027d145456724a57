/*
 * fuzz_envelope.c - any body in any charset: the envelope is JSON, and tells the body's bytes.
 *
 * The first byte is the mode, what follows up to a NUL the charset, the rest the body.
 */

#include "message/envelope.h"
#include "message/json.h"
#include "util/base64.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_base64(const json_t *text, const struct buffer *body)
{
    struct buffer bytes;

    buffer_init(&bytes, SIZE_MAX);
    if (base64_decode(&bytes, json_string_value(text), json_string_length(text)) != 0 ||
        bytes.len != body->len || (bytes.len > 0 && memcmp(bytes.data, body->data, bytes.len) != 0))
        abort();
    buffer_free(&bytes);
}

static void
check(const json_t *envelope, const struct response *r, enum response_body mode)
{
    const json_t *text = json_object_get(envelope, "body");
    const json_t *base64 = json_object_get(envelope, "body_base64");

    if (envelope == NULL || (text != NULL && base64 != NULL))
        abort();
    if ((text == NULL && base64 == NULL) != (mode == BODY_NONE))
        abort();
    if (mode == BODY_TEXT && text == NULL)
        abort();
    if (base64 != NULL)
        check_base64(base64, &r->body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char type[200];
    struct header header = { (char *)"content-type", type };
    struct response r = { .head.headers = { &header, 1, NULL } };
    struct request asked = { .response_body = size > 0 ? data[0] % 4 : 0 };
    const char *charset = (const char *)data + 1;
    size_t n = size > 0 ? strnlen(charset, size - 1) : 0;
    struct failure err = { 0 };
    struct buffer out;
    json_t *envelope;

    snprintf(type, sizeof type, "a/b;charset=%.*s", (int)n, charset);
    if (size > n + 2)
        r.body = (struct buffer){ .data = (char *)data + n + 2, .len = size - n - 2 };
    buffer_init(&out, SIZE_MAX);
    if (envelope_write(&out, &asked, &r, -1) != 0)
        abort();
    envelope = json_parse(out.data, out.len, &err);
    check(envelope, &r, asked.response_body);
    json_decref(envelope);
    buffer_free(&out);
    return 0;
}
