/* test_log_sink.c - where a part of the program sends its log lines. */

#include "util/log_sink.h"

#include <criterion/criterion.h>
#include <string.h>

static char last[2000];
static int last_level;

static void
keep(void *arg, int level, const char *line)
{
    last_level = level;
    strcpy(arg, line);
}

Test(log_sink, a_line_goes_to_the_function_with_its_level)
{
    const struct log_sink sink = { keep, last };

    log_sink_printf(&sink, LOG_WARNING, "%s and %d", "one", 2);
    cr_assert_str_eq(last, "one and 2");
    cr_assert_eq(last_level, LOG_WARNING);
}

Test(log_sink, a_line_that_is_too_long_is_cut)
{
    const struct log_sink sink = { keep, last };

    log_sink_printf(&sink, LOG_ERROR, "%01500d", 0);
    cr_assert_eq(strlen(last), 1023);
}

Test(log_sink, without_a_function_lines_are_dropped)
{
    const struct log_sink sink = { 0 };

    log_sink_printf(&sink, LOG_ERROR, "nobody reads this");
}
