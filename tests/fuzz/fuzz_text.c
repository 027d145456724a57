/*
 * fuzz_text.c - any bytes as base64, as UTF-8 and in any charset: there and back they are the same,
 * and what is repaired is valid.
 *
 * The first string is a Content-Type, the rest the bytes.
 */

#include "coding/charset.h"
#include "fuzz_input.h"
#include "message/json.h"
#include "util/base64.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct buffer *b, const char *bytes, size_t n)
{
    return b->len == n && (n == 0 || memcmp(b->data, bytes, n) == 0);
}

static void
try_base64(const char *bytes, size_t n)
{
    struct buffer encoded, decoded;

    buffer_init(&encoded, SIZE_MAX / 2);
    buffer_init(&decoded, SIZE_MAX / 2);
    base64_encode(&encoded, bytes, n);
    check_that(encoded.len == (n + 2) / 3 * 4, "four for three", "");
    check_that(base64_decode(&decoded, encoded.data, encoded.len) == 0 && same(&decoded, bytes, n),
               "there and back", "");
    buffer_clear(&encoded);
    buffer_clear(&decoded);
    if (base64_decode(&decoded, bytes, n) == 0) {
        buffer_adds(&encoded, "");
        base64_encode(&encoded, decoded.data, decoded.len);
        check_that(encoded.len == n && (n < 4 || memcmp(encoded.data, bytes, n - 4) == 0),
                   "one text for the same bytes, but for unused bits at its end", encoded.data);
    }
    buffer_free(&encoded);
    buffer_free(&decoded);
}

static void
try_utf8(const char *bytes, size_t n)
{
    size_t prefix = utf8_prefix(bytes, n);
    bool valid = utf8_valid(bytes, n);
    struct buffer repaired;

    buffer_init(&repaired, SIZE_MAX / 2);
    utf8_replace(&repaired, bytes, n);
    check_that(utf8_valid(repaired.data, repaired.len), "what is repaired is valid", "");
    check_that(!valid || same(&repaired, bytes, n), "what is valid stays", "");
    check_that(prefix <= n && (prefix == n) == valid && utf8_valid(bytes, prefix), "the prefix",
               "");
    for (size_t cut = 0; valid && cut <= n && cut < 64; cut++)
        check_that(utf8_cut(bytes, cut) <= cut && utf8_valid(bytes, utf8_cut(bytes, cut)), "cut",
                   "");
    buffer_free(&repaired);
}

static json_t *
read_string(const struct buffer *text)
{
    struct failure err = { 0 };
    struct buffer list;
    json_t *found;

    buffer_init(&list, SIZE_MAX / 2);
    buffer_printf(&list, "[%s]", text->data);
    found = json_parse(list.data, list.len, &err);
    check_that(found != NULL && json_is_string(json_array_get(found, 0)), "a string", list.data);
    buffer_free(&list);
    return found;
}

static void
try_charset(const char *type, const char *bytes, size_t n)
{
    char name[CHARSET_SIZE] = "utf-8";
    bool declared = charset_declared(name, type);
    struct buffer text, replaced;

    check_that(!declared || (name[0] != '\0' && strpbrk(name, "/;, \"") == NULL), "a name", name);
    buffer_init(&text, SIZE_MAX / 2);
    buffer_init(&replaced, SIZE_MAX / 2);
    charset_add_replacing(&replaced, name, bytes, n);
    json_decref(read_string(&replaced));
    if (charset_add(&text, name, bytes, n)) {
        json_t *found = read_string(&text);

        check_that(!charset_is_utf8(name) || json_string_length(json_array_get(found, 0)) == n,
                   "UTF-8 stays as it is", name);
        check_that(same(&text, replaced.data, replaced.len), "nothing to replace", text.data);
        json_decref(found);
    } else {
        check_that(text.len == 0, "left as it was", text.data);
    }
    buffer_free(&text);
    buffer_free(&replaced);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    char *type = take_string(&in);

    try_base64((const char *)in.at, in.left);
    try_utf8((const char *)in.at, in.left);
    try_charset(type, (const char *)in.at, in.left);
    free(type);
    return 0;
}
