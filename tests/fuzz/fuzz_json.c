/*
 * fuzz_json.c - any bytes: json_parse() takes or names them, and what it takes is written back
 * as the same document.
 */

#include "base/utf8.h"
#include "message/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read_back(const json_t *root)
{
    struct failure why = { 0 };
    struct buffer text;
    json_t *again;

    buffer_init(&text, SIZE_MAX);
    json_add_value(&text, root);
    again = json_parse(text.data, text.len, &why);
    if (again == NULL || !json_equal((json_t *)root, again))
        abort();
    json_decref(again);
    buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure why = { 0 };
    json_t *root = json_parse((const char *)data, size, &why);

    if (root != NULL)
        write_and_read_back(root);
    else if (why.error != ERROR_BAD_REQUEST || strncmp(why.detail, "line ", 5) != 0 ||
             !utf8_valid(why.detail, strlen(why.detail)))
        abort();
    json_decref(root);
    return 0;
}
