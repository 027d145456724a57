/*
 * fuzz_json.c - any bytes: json_parse() takes or names them, and what it takes is written back
 * as the same document.
 */

#include "message/json.h"
#include "util/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read_back(const json_t *root)
{
    struct failure err = { 0 };
    struct buffer text;
    json_t *again;

    buffer_init(&text, SIZE_MAX);
    json_add_value(&text, root);
    again = json_parse(text.data, text.len, &err);
    if (again == NULL || !json_equal((json_t *)root, again))
        abort();
    json_decref(again);
    buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure err = { 0 };
    json_t *root = json_parse((const char *)data, size, &err);

    if (root != NULL)
        write_and_read_back(root);
    else if (err.error != ERROR_BAD_REQUEST || strncmp(err.detail, "line ", 5) != 0 ||
             !utf8_valid(err.detail, strlen(err.detail)))
        abort();
    json_decref(root);
    return 0;
}
