/* test_log.c - lines on standard error, as text or as JSON, that never hold up their writer. */

#include "util/log.h"

#include "util/clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int saved = -1;
static int from_log = -1; /* what the log writes can be read here */
static char text[4 << 20];
static size_t text_len;

/* Standard error becomes a pipe for the time of the test. */
static void
setup(void)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    saved = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    from_log = fds[0];
    fcntl(from_log, F_SETFL, O_NONBLOCK);
    log_setup(LOG_INFO, false);
}

static void
teardown(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

TestSuite(log, .init = setup, .fini = teardown, .timeout = 30);

/* All that has been written so far. */
static const char *
written(void)
{
    ssize_t n;

    while ((n = read(from_log, text + text_len, sizeof text - 1 - text_len)) > 0)
        text_len += (size_t)n;
    text[text_len] = '\0';
    return text;
}

/* Waits until the log has written something more. */
static const char *
await_writing(void)
{
    struct pollfd p = { .fd = from_log, .events = POLLIN };

    cr_assert_eq(poll(&p, 1, 10000), 1);
    return written();
}

/* The line without its time, which must look like one. */
static const char *
after_time(const char *line)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd')
            cr_assert(line[i] >= '0' && line[i] <= '9', "%s", line);
        else
            cr_assert_eq(line[i], form[i], "%s", line);
    return line + sizeof form - 1;
}

/* -- text ---------------------------------------------------------------- */

Test(log, writes_a_sentence_with_its_level_and_time)
{
    log_warning("%d of %s", 2, "three");

    cr_assert_str_eq(after_time(written()), "warning 2 of three\n");
}

Test(log, leaves_out_what_is_below_the_level)
{
    log_debug("no");
    log_setup(LOG_ERROR, false);
    log_warning("no");
    log_error("yes");

    cr_assert_str_eq(after_time(written()), "error yes\n");
}

Test(log, writes_fields_by_kind_and_leaves_out_a_NULL_text)
{
    const struct log_field fields[] = {
        { "name", LOG_TEXT, .text = "plain" },      { "none", LOG_TEXT, .text = NULL },
        { "count", LOG_NUMBER, .number = -5 },      { "took", LOG_SECONDS, .seconds = 0.25 },
        { "blank", LOG_TEXT, .text = "two words" }, { "empty", LOG_TEXT, .text = "" },
    };

    log_event(LOG_INFO, "fetch", fields, 6);

    cr_assert_str_eq(after_time(written()), "info fetch name=plain count=-5 took=0.250000 "
                                            "blank=\"two words\" empty=\"\"\n");
}

Test(log, a_value_can_forge_neither_a_line_nor_a_field)
{
    const struct log_field field = { "tag", LOG_TEXT,
                                     .text = "a\nb\rerror x=1\t\"q\" \\ \x7f \x1b[31m" };

    log_event(LOG_INFO, "fetch", &field, 1);

    cr_assert_str_eq(after_time(written()),
                     "info fetch tag=\"a\\u000ab\\u000derror x=1\\u0009\\\"q\\\" \\\\ \\u007f "
                     "\\u001b[31m\"\n");
}

Test(log, a_sentence_can_forge_no_line)
{
    log_info("%s", "quoted \n2026-01-01T00:00:00.000Z error forged\r\x1b[0m");

    cr_assert_str_eq(after_time(written()),
                     "info quoted ?2026-01-01T00:00:00.000Z error forged??[0m\n");
}

Test(log, a_value_with_an_equals_sign_is_quoted)
{
    const struct log_field field = { "tag", LOG_TEXT, .text = "a=b" };

    log_event(LOG_INFO, "fetch", &field, 1);
    cr_assert_str_eq(after_time(written()), "info fetch tag=\"a=b\"\n");
}

/* -- JSON ---------------------------------------------------------------- */

static json_t *
the_object(void)
{
    json_error_t error;
    json_t *o = json_loads(written(), 0, &error);

    cr_assert_not_null(o, "%s: %s", error.text, text);
    return o;
}

Test(log, as_JSON_a_line_is_one_object)
{
    const struct log_field fields[] = {
        { "name", LOG_TEXT, .text = "a \"b\"\n\\ \x01" },
        { "count", LOG_NUMBER, .number = INT64_MAX },
        { "took", LOG_SECONDS, .seconds = 1.5 },
        { "none", LOG_TEXT, .text = NULL },
    };
    json_t *o;

    log_setup(LOG_INFO, true);
    log_event(LOG_INFO, "fetch", fields, 4);
    o = the_object();

    cr_assert_eq(json_object_size(o), 6);
    cr_assert_str_eq(json_string_value(json_object_get(o, "level")), "info");
    cr_assert_str_eq(json_string_value(json_object_get(o, "event")), "fetch");
    cr_assert_str_eq(json_string_value(json_object_get(o, "name")), fields[0].text);
    cr_assert_eq(json_integer_value(json_object_get(o, "count")), INT64_MAX);
    cr_assert_eq(json_real_value(json_object_get(o, "took")), 1.5);
    json_decref(o);
}

Test(log, as_JSON_bytes_that_are_no_UTF_8_still_make_an_object)
{
    const struct log_field field = { "tag", LOG_TEXT, .text = "caf\xe9 \xff\xfe\xc3" };
    json_t *o;

    log_setup(LOG_INFO, true);
    log_event(LOG_INFO, "fetch", &field, 1);
    o = the_object();

    cr_assert_str_eq(json_string_value(json_object_get(o, "tag")), "caf\u00e9 \u00ff\u00fe\u00c3");
    json_decref(o);
}

Test(log, as_JSON_UTF_8_stays_what_it_is)
{
    json_t *o;

    log_setup(LOG_INFO, true);
    log_info("\u65e5\u672c \U0001f600");
    o = the_object();

    cr_assert_str_eq(json_string_value(json_object_get(o, "event")), "\u65e5\u672c \U0001f600");
    json_decref(o);
}

/* -- limits -------------------------------------------------------------- */

/* A text of 8,999 bytes, the same character again and again; the caller frees it. */
static char *
long_text(const char *character)
{
    size_t n = strlen(character);
    char *value = calloc(1, 9000);

    for (size_t i = 0; i + n < 9000; i += n)
        memcpy(value + i, character, n);
    return value;
}

/* As in the access log, whose line has 7 texts. */
static void
log_seven(const char *character)
{
    char *value = long_text(character);
    struct log_field fields[8];

    for (size_t i = 0; i < 7; i++)
        fields[i] = (struct log_field){ "long", LOG_TEXT, .text = value };
    fields[7] = (struct log_field){ "status", LOG_NUMBER, .number = 200 };
    log_event(LOG_INFO, "fetch", fields, 8);
    free(value);
}

Test(log, of_a_line_too_long_the_texts_are_cut)
{
    char expected[256] = "info fetch session=default tag=";
    char *value = long_text("x");
    const struct log_field fields[] = { { "session", LOG_TEXT, .text = "default" },
                                        { "tag", LOG_TEXT, .text = value },
                                        { "none", LOG_TEXT, .text = NULL },
                                        { "status", LOG_NUMBER, .number = 200 } };

    log_event(LOG_INFO, "fetch", fields, 4);
    snprintf(expected + strlen(expected), 200, "%.128s... status=200\n", value);
    cr_assert_str_eq(after_time(written()), expected);
    free(value);
}

Test(log, of_a_line_too_long_no_character_is_cut_in_two)
{
    json_t *o;

    log_setup(LOG_INFO, true);
    log_seven("\U0001f600");
    o = the_object();
    cr_assert_eq(json_string_length(json_object_get(o, "long")), 128 + 3);
    json_decref(o);
}

Test(log, seven_texts_of_the_longest_escapes_fit_once_they_are_cut)
{
    log_seven("\x01");
    cr_assert_str_eq(strstr(written(), " status="), " status=200\n");
}

Test(log, a_line_that_stays_too_long_is_replaced_by_one_that_says_so)
{
    char *value = long_text("x");
    struct log_field field = { value, LOG_TEXT, .text = "name" };

    log_event(LOG_INFO, "fetch", &field, 1);
    free(value);

    cr_assert_str_eq(after_time(written()), "info a log line was too long to write\n");
}

Test(log, a_sentence_longer_than_1023_bytes_is_cut)
{
    char *value = calloc(1, 3000);

    memset(value, 'x', 2999);
    log_info("%s", value);
    free(value);

    cr_assert_eq(strlen(after_time(written())), strlen("info ") + 1023 + 1);
}

/* -- the thread ---------------------------------------------------------- */

Test(log, lines_of_the_thread_come_out_in_order_and_all_by_the_stop)
{
    const char *at;

    cr_assert_eq(log_start(), 0);
    for (int i = 0; i < 200; i++)
        log_info("line %d.", i);
    log_stop();

    at = written();
    for (int i = 0; i < 200; i++) {
        char wanted[32];

        snprintf(wanted, sizeof wanted, "info line %d.\n", i);
        at = strstr(at, wanted);
        cr_assert_not_null(at, "%s", wanted);
    }
}

Test(log, an_error_is_written_without_a_stop)
{
    cr_assert_eq(log_start(), 0);
    log_error("now");
    cr_assert_str_eq(after_time(await_writing()), "error now\n");
    log_stop();
}

Test(log, a_plain_line_is_written_without_a_stop_soon)
{
    cr_assert_eq(log_start(), 0);
    log_info("soon");
    cr_assert_str_eq(after_time(await_writing()), "info soon\n");
    log_stop();
}

Test(log, can_start_again_after_a_stop)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(log_start(), 0);
        log_info("again");
        log_stop();
        log_stop();
    }
    log_info("unthreaded");

    cr_assert_not_null(strstr(written(), "info unthreaded\n"));
}

static atomic_bool stopped;

static long
count_lines_with(const char *what)
{
    long n = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

/* Nobody reads: the pipe is full after 64 KiB, the ring after half a megabyte more. */
static void
flood(int lines)
{
    char filler[200];
    int64_t before = clock_us();

    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (int i = 0; i < lines; i++)
        log_info("flood %s", filler);
    cr_assert_lt(clock_us() - before, 10 * US_PER_SECOND, "the writer was held up");
}

static void *
stop(void *arg)
{
    (void)arg;
    log_stop();
    stopped = true;
    return NULL;
}

/* What the lines that tell of dropped ones add up to. */
static long
count_dropped(void)
{
    long n = 0;

    for (const char *at = text; (at = strstr(at, " warning ")) != NULL;) {
        at += strlen(" warning ");
        n += strtol(at, NULL, 10);
    }
    return n;
}

Test(log, a_standard_error_that_nobody_reads_drops_lines_and_counts_each)
{
    pthread_t other;

    cr_assert_eq(log_start(), 0);
    flood(20000);
    cr_assert_eq(pthread_create(&other, NULL, stop, NULL), 0);
    while (!stopped) {
        written();
        usleep(1000);
    }
    pthread_join(other, NULL);
    written();

    cr_assert_gt(count_dropped(), 0);
    cr_assert_eq(count_lines_with("info flood ") + count_dropped(), 20000);
}

/* -- a standard error that cannot be written ------------------------------ */

static void
redirect_to(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    cr_assert_geq(fd, 0);
    cr_assert_geq(dup2(fd, STDERR_FILENO), 0);
    close(fd);
}

Test(log, a_stop_does_not_wait_for_a_pipe_that_nobody_reads)
{
    uint64_t dropped;
    int64_t before;

    cr_assert_eq(log_start(), 0);
    flood(20000);
    before = clock_us();
    log_stop();
    cr_assert_lt(clock_us() - before, 8 * US_PER_SECOND);

    dropped = log_dropped_lines();
    log_error("nobody can see this");
    cr_assert_eq(log_dropped_lines(), dropped + 1);
    log_stop();
    cr_assert_eq(log_start(), -1);
    close(saved);
    saved = open("/dev/null", O_WRONLY); /* where the thread left behind then writes to */
}

Test(log, a_line_without_the_thread_does_not_wait_for_ever_either)
{
    int64_t before;

    fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
    while (write(STDERR_FILENO, text, 4096) > 0)
        ;
    fcntl(STDERR_FILENO, F_SETFL, 0);
    before = clock_us();
    log_error("lost");
    cr_assert_lt(clock_us() - before, 8 * US_PER_SECOND);
    cr_assert_eq(log_dropped_lines(), 1);
}

Test(log, lines_that_a_full_disk_takes_not_are_told_of_once_when_it_can_be_written)
{
    int pipe_end = dup(STDERR_FILENO);

    redirect_to("/dev/full", O_WRONLY);
    for (int i = 0; i < 3; i++)
        log_info("lost");
    cr_assert_eq(log_dropped_lines(), 3);
    dup2(pipe_end, STDERR_FILENO);
    close(pipe_end);

    log_info("good");
    log_info("better");
    cr_assert_not_null(strstr(written(), "warning 3 log lines were dropped: standard error failed: "
                                         "No space left on device\n"));
    cr_assert_eq(count_lines_with("dropped"), 1);
    cr_assert_eq(count_lines_with("info good\n") + count_lines_with("info better\n"), 2);
}

/* A file may have `bytes`, as on a disk with so much room left. */
static void
limit_file_size(rlim_t bytes)
{
    struct rlimit l;

    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

Test(log, a_line_that_was_cut_is_ended_before_the_next)
{
    char path[] = "/tmp/curlew-log-XXXXXX";
    int file = mkstemp(path);
    int64_t before = clock_us();

    cr_assert_geq(file, 0);
    signal(SIGXFSZ, SIG_IGN);
    redirect_to(path, O_WRONLY | O_APPEND);
    cr_assert_eq(log_start(), 0);
    limit_file_size(40);
    log_error("this line is longer than the forty bytes that the disk has left");
    while (log_dropped_lines() == 0 && clock_us() - before < 10 * US_PER_SECOND)
        usleep(1000);
    cr_assert_eq(log_dropped_lines(), 1);
    limit_file_size(RLIM_INFINITY);
    log_error("whole");
    log_stop();

    text_len = (size_t)pread(file, text, sizeof text - 1, 0);
    unlink(path);
    close(file);
    cr_assert_eq(text[40], '\n', "%s", text);
    cr_assert_not_null(strstr(after_time(text + 41), "error whole\n"));
    cr_assert_eq(count_lines_with("1 log lines were dropped"), 1);
}

Test(log, a_reader_that_has_gone_costs_lines_and_nothing_else)
{
    signal(SIGPIPE, SIG_IGN);
    close(from_log);
    cr_assert_eq(log_start(), 0);
    for (int i = 0; i < 100; i++)
        log_info("lost");
    log_stop();
    cr_assert_eq(log_dropped_lines(), 100);
    cr_assert_eq(log_start(), 0);
    log_stop();
}

Test(log, a_full_pipe_that_does_not_block_loses_no_line)
{
    pthread_t other;

    fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
    cr_assert_eq(log_start(), 0);
    flood(1500); /* more than the pipe holds, less than the ring */
    cr_assert_eq(pthread_create(&other, NULL, stop, NULL), 0);
    while (!stopped) {
        written();
        usleep(1000);
    }
    pthread_join(other, NULL);
    written();

    cr_assert_eq(log_dropped_lines(), 0);
    cr_assert_eq(count_lines_with("info flood "), 1500);
}
