/* test_log_format.c - one line of the log, as text or as JSON. */

#include "util/log_format.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buffer out;

/* The line without the time, which must have the given length. */
static const char *
line(const char *event, const struct log_field *fields, size_t count, bool json)
{
    buffer_init(&out, 10000);
    log_format(&out, LOG_WARNING, event, fields, count, json);
    return out.data + (json ? strlen("{\"time\":\"2026-01-01T00:00:00.000Z\"")
                            : strlen("2026-01-01T00:00:00.000Z"));
}

static const struct log_field fields[] = {
    { "plain", LOG_TEXT, .text = "a-b" },    { "odd", LOG_TEXT, .text = "a b=\"c\"\n" },
    { "absent", LOG_TEXT, .text = NULL },    { "count", LOG_NUMBER, .number = -7 },
    { "took", LOG_SECONDS, .seconds = 1.5 }, { "empty", LOG_TEXT, .text = "" },
};

#define COUNT (sizeof fields / sizeof fields[0])

Test(log_format, as_text_odd_values_are_quoted)
{
    cr_assert_str_eq(line("fetch", fields, COUNT, false),
                     " warning fetch plain=a-b odd=\"a b=\\\"c\\\"\\u000a\" count=-7 "
                     "took=1.500000 empty=\"\"\n");
    buffer_free(&out);
}

Test(log_format, as_json_every_text_is_quoted)
{
    cr_assert_str_eq(line("fetch", fields, COUNT, true),
                     ",\"level\":\"warning\",\"event\":\"fetch\",\"plain\":\"a-b\","
                     "\"odd\":\"a b=\\\"c\\\"\\u000a\",\"count\":-7,\"took\":1.500000,"
                     "\"empty\":\"\"}\n");
    buffer_free(&out);
}

Test(log_format, a_sentence_stays_one_line)
{
    cr_assert_str_eq(line("two\nlines\x7f", NULL, 0, false), " warning two?lines?\n");
    buffer_free(&out);
}
