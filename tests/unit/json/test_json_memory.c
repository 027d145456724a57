/* test_json_memory.c - jansson's memory: each document in bounded blocks of its own. */

#include "json/json_memory.h"

#include "util/buffer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static struct buffer text;

static void
setup(void)
{
    buffer_init(&text, 64 * MIB);
}

static void
teardown(void)
{
    buffer_free(&text);
}

TestSuite(json_memory, .init = setup, .fini = teardown);

static void
repeat(const char *item, int count)
{
    buffer_clear(&text);
    buffer_addc(&text, '[');
    for (int i = 0; i < count; i++) {
        buffer_adds(&text, i > 0 ? "," : "");
        buffer_adds(&text, item);
    }
    buffer_addc(&text, ']');
}

static json_t *
load(size_t max, enum json_memory_end *end)
{
    json_t *root;

    cr_assert_eq(json_memory_begin(max, text.len), 0);
    root = json_memory_load(text.data, text.len, JSON_DECODE_ANY, NULL);
    *end = json_memory_finish();
    return root;
}

/* Resident memory in bytes. */
static long
resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size, pages;

    cr_assert_eq(fscanf(f, "%ld %ld", &size, &pages), 2);
    fclose(f);
    return pages * 4096;
}

Test(json_memory, a_document_within_its_limit_is_whole)
{
    enum json_memory_end end;
    json_t *root;

    repeat("{\"a\":[1,2.5,\"text\",null,true]}", 2000);
    root = load(4 * MIB, &end);
    cr_assert_eq(end, JSON_MEMORY_OK);
    cr_assert_eq(json_array_size(root), 2000);
    cr_assert_str_eq(
        json_string_value(json_array_get(json_object_get(json_array_get(root, 1999), "a"), 2)),
        "text");
    cr_assert_leq(json_memory_bytes(root), 4 * MIB);
    json_memory_release(root);
}

Test(json_memory, past_the_limit_it_is_refused_at_that_many_values)
{
    enum json_memory_end end;
    json_t *root;
    size_t bytes;

    repeat("{}", 10000);
    root = load(64 * MIB, &end);
    bytes = json_memory_bytes(root);
    json_memory_release(root);
    cr_assert_gt(bytes, 10000 * sizeof(void *));

    root = load(bytes, &end);
    cr_assert_eq(end, JSON_MEMORY_OK);
    json_memory_release(root);
    cr_assert_null(load(bytes / 2, &end));
    cr_assert_eq(end, JSON_MEMORY_FULL);
}

Test(json_memory, a_long_string_takes_little_more_than_itself)
{
    enum json_memory_end end;
    json_t *root;

    buffer_addc(&text, '"');
    for (size_t i = 0; i < 16 * MIB - 2; i++)
        buffer_addc(&text, 'x');
    buffer_addc(&text, '"');
    root = load(64 * MIB, &end);
    cr_assert_eq(end, JSON_MEMORY_OK);
    cr_assert_eq(json_string_length(root), 16 * MIB - 2);
    cr_assert_lt(json_memory_bytes(root), 17 * MIB);
    json_memory_release(root);
}

Test(json_memory, all_of_it_goes_back_to_the_system)
{
    enum json_memory_end end;
    long before;
    json_t *root;

    repeat("{}", 200000);
    before = resident();
    root = load(64 * MIB, &end);
    cr_assert_eq(end, JSON_MEMORY_OK);
    cr_assert_gt(resident(), before + 20 * (long)MIB);
    json_memory_release(root);
    cr_assert_lt(resident(), before + (long)MIB);

    root = load(64 * MIB, &end);
    json_decref(root); /* value by value: the last one ends the document */
    cr_assert_lt(resident(), before + (long)MIB);

    cr_assert_null(load(30 * MIB, &end));
    cr_assert_lt(resident(), before + (long)MIB);
}

Test(json_memory, a_constant_or_a_value_outside_belongs_to_no_document)
{
    enum json_memory_end end;
    json_t *outside = json_pack("{s:s}", "a", "b"), *root;
    char *dumped = json_dumps(outside, JSON_COMPACT);

    cr_assert_eq(json_memory_bytes(outside), 0);
    cr_assert_str_eq(dumped, "{\"a\":\"b\"}");
    json_memory_free(dumped);
    json_memory_free(NULL);
    json_memory_release(outside);
    json_memory_release(NULL);
    buffer_adds(&text, "null");
    root = load(MIB, &end);
    cr_assert(json_is_null(root));
    cr_assert_eq(json_memory_bytes(root), 0);
    json_memory_release(root);
}

Test(json_memory, values_may_be_taken_out_and_others_put_in)
{
    enum json_memory_end end;
    json_t *root;

    repeat("{\"a\":\"b\"}", 3);
    root = load(MIB, &end);
    json_array_set_new(root, 0, json_null());
    json_object_del(json_array_get(root, 1), "a");
    json_array_append_new(root, json_string("outside"));
    cr_assert_eq(json_array_size(root), 4);
    json_decref(root);
}

/* Whatever the limit: it is reached within a string that grows, too. */
Test(json_memory, wherever_the_limit_is_reached_nothing_is_written_past_it)
{
    enum json_memory_end end;
    json_t *root;
    size_t full = 0;

    repeat("{}", 300);
    text.len--;
    buffer_adds(&text, ",\"");
    for (int i = 0; i < 40000; i++)
        buffer_adds(&text, "\\u00fc");
    buffer_adds(&text, "\"]");
    for (size_t max = 0; max < 10 * text.len; max += 4099) {
        root = load(max, &end);
        cr_assert_eq(root == NULL, end == JSON_MEMORY_FULL);
        full += end == JSON_MEMORY_FULL;
        json_memory_release(root);
    }
    cr_assert_gt(full, 10);
}
