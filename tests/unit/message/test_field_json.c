/* test_field_json.c - one JSON value into one member of a struct, and back. */

#include "message/field_json.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const colours[] = { "red", "green", NULL };

struct sample {
    bool flag;
    int number;
    int64_t size, wait_ms;
    double rate;
    char *text, *path;
    int colour;
    bool green;
};

#define AT(member) offsetof(struct sample, member)

static const struct field flag = { "flag", FIELD_BOOL, AT(flag), 0, 0, NULL, 0, 0 };
static const struct field number = { "number", FIELD_INT, AT(number), 1, 9, NULL, 0, 0 };
static const struct field size = { "size", FIELD_INT64, AT(size), 0, FIELD_BYTES_MAX, NULL, 0, 0 };
static const struct field rate = { "rate", FIELD_NUMBER, AT(rate), 0, 100, NULL, 0, 0 };
static const struct field wait = { "wait", FIELD_MS, AT(wait_ms), 1, 5000, NULL, 0, 0 };
static const struct field text = { "text", FIELD_TEXT, AT(text), 1, 4, NULL, 0, 0 };
static const struct field path = { "path", FIELD_PATH, AT(path), 0, 0, NULL, 0, 0 };
static const struct field colour = { "colour", FIELD_CHOICE, AT(colour), 0, 0, colours, 0, 0 };
static const struct field green = { "green", FIELD_TWO_WAY, AT(green), 0, 0, colours, 0, 0 };

static struct sample s;
static struct failure err;

static void
teardown(void)
{
    free(s.text);
    free(s.path);
}

TestSuite(field_json, .fini = teardown);

static int
read_text(const struct field *f, const char *json)
{
    const struct json_path at = { NULL, f->name, 0 };
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    int rc;

    cr_assert_not_null(value, "%s", json);
    err = (struct failure){ 0 };
    rc = field_json_read(&s, f, value, &at, &err);
    json_decref(value);
    return rc;
}

/* What is read comes back as `shown`. */
static void
takes(const struct field *f, const char *json, const char *shown)
{
    json_t *value;
    char *dumped;

    cr_assert_eq(read_text(f, json), 0, "%s: %s", json, err.detail);
    value = field_json_value(&s, f);
    dumped = json_dumps(value, JSON_ENCODE_ANY);
    cr_assert_str_eq(dumped, shown);
    json_memory_free(dumped);
    json_decref(value);
}

static void
refuses(const struct field *f, const char *json, const char *detail)
{
    cr_assert_eq(read_text(f, json), -1, "%s", json);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_str_eq(err.detail, detail);
}

Test(field_json, every_kind_is_read_and_comes_back)
{
    takes(&flag, "true", "true");
    takes(&number, "9", "9");
    takes(&size, "9007199254740992", "9007199254740992");
    takes(&rate, "2.5", "2.5");
    takes(&wait, "1.5", "1.5");
    cr_assert_eq(s.wait_ms, 1500);
    takes(&text, "\"abcd\"", "\"abcd\"");
    takes(&path, "\"/x\"", "\"/x\"");
    takes(&colour, "\"green\"", "\"green\"");
    takes(&green, "\"red\"", "\"red\"");
    cr_assert_not(s.green);
}

Test(field_json, a_text_replaces_the_one_before_it)
{
    takes(&text, "\"one\"", "\"one\"");
    takes(&text, "\"two\"", "\"two\"");
}

Test(field_json, what_is_out_of_range_or_of_another_type_is_refused_by_name)
{
    refuses(&flag, "1", "flag: expected true or false");
    refuses(&number, "0", "number: expected an integer from 1 to 9");
    refuses(&number, "10", "number: expected an integer from 1 to 9");
    refuses(&number, "2.0", "number: expected an integer from 1 to 9");
    refuses(&rate, "0", "rate: expected a number above 0 and at most 100");
    refuses(&wait, "5.001", "wait: expected a number of seconds above 0 and at most 5");
    refuses(&text, "\"\"", "text: must not be empty");
    refuses(&text, "\"abcde\"", "text: expected a string of 1 to 4 bytes");
    refuses(&text, "\"a\\u0000\"", "text: must not contain NUL");
    refuses(&path, "\"x\"", "path: expected an absolute path");
    refuses(&colour, "\"blue\"", "colour: expected one of red, green");
}

Test(field_json, a_refused_value_leaves_the_member_as_it_was)
{
    takes(&number, "5", "5");
    takes(&text, "\"old\"", "\"old\"");
    refuses(&number, "10", "number: expected an integer from 1 to 9");
    refuses(&text, "1", "text: expected a string");
    cr_assert_eq(s.number, 5);
    cr_assert_str_eq(s.text, "old");
}

Test(field_json, a_list_of_texts_takes_the_place_of_the_one_before)
{
    const struct json_path at = { NULL, "list", 0 };
    json_t *two = json_pack("[s, s]", "a", "b"), *empty = json_pack("[s]", "");
    char **list = NULL;
    size_t count = 0;

    cr_assert_eq(field_json_texts(&list, &count, two, &at, &err), 0);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(list[1], "b");
    cr_assert_eq(field_json_texts(&list, &count, empty, &at, &err), -1);
    cr_assert_str_eq(err.detail, "list[0]: must not be empty");
    field_json_texts_free(list, count);
    json_decref(two);
    json_decref(empty);
}

static void
stands_for(int kind, const char *plain, json_type type)
{
    json_t *value = field_json_from_text(kind, plain, strlen(plain));

    cr_assert_eq(json_typeof(value), type, "%s", plain);
    json_decref(value);
}

Test(field_json, plain_text_becomes_the_value_that_its_kind_expects)
{
    stands_for(FIELD_INT, "7", JSON_INTEGER);
    stands_for(FIELD_BOOL, "false", JSON_FALSE);
    stands_for(FIELD_NUMBER, "2.5", JSON_REAL);
    stands_for(FIELD_NUMBER, "true", JSON_TRUE);
    stands_for(FIELD_TEXT, "7", JSON_STRING);
    stands_for(FIELD_INT, "seven", JSON_STRING);
    stands_for(FIELD_INT, "[7]", JSON_STRING);
}
