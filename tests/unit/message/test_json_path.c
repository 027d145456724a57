/* test_json_path.c - where in a document a value stands, as an error names it. */

#include "message/json_path.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct json_path cookies = { NULL, "cookies", 0 };
static const struct json_path third = { &cookies, NULL, 2 };
static const struct json_path name = { &third, "name", 0 };

Test(json_path, an_error_names_keys_and_indexes_from_the_document_down)
{
    struct failure err = { 0 };

    cr_assert_eq(json_path_refuse(&name, &err, "expected %d bytes", 3), -1);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, "cookies[2].name: expected 3 bytes");
}

Test(json_path, without_a_path_the_sentence_stands_alone)
{
    const struct failure inner = { .error = ERROR_BAD_URL, .detail = "url: no host" };
    struct failure refused = { 0 }, passed = { 0 };

    json_path_refuse(NULL, &refused, "a request is a JSON object");
    cr_assert_str_eq(refused.detail, "a request is a JSON object");
    json_path_pass(NULL, &inner, &passed);
    cr_assert_str_eq(passed.detail, "url: no host");
}

Test(json_path, an_error_of_a_lower_layer_keeps_its_code)
{
    const struct failure inner = { .error = ERROR_BAD_URL, .detail = "url: no host" };
    struct failure err = { 0 };

    cr_assert_eq(json_path_pass(&third, &inner, &err), -1);
    cr_assert_eq(err.error, ERROR_BAD_URL);
    cr_assert_str_eq(err.detail, "cookies[2].url: no host");
}

Test(json_path, an_unknown_key_is_named)
{
    struct failure unknown = { 0 };

    json_path_unknown_key(&name, &unknown);
    cr_assert_eq(unknown.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(unknown.detail, "unknown key \"cookies[2].name\"");
}

Test(json_path, a_long_key_is_cut_and_the_sentence_is_not)
{
    char key[1000];
    const struct json_path at = { &cookies, key, 0 };
    struct failure err = { 0 };

    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    json_path_refuse(&at, &err, "expected a string");
    cr_assert_lt(strlen(err.detail), 150);
    cr_assert_not_null(strstr(err.detail, "k: expected a string"));
}
