/* test_upload_pipe.c - a request's body on its way from its caller's thread to an engine thread. */

#include "fetch/upload_pipe.h"

#include <criterion/criterion.h>
#include <string.h>

#define ALL UPLOAD_PIPE_BYTES

static struct upload_pipe *p;
static char bytes[ALL + 100];
static int rooms, calls;

static void
on_room(struct curlew_fetch *f, void *arg)
{
    (void)f;
    cr_assert_eq(arg, &rooms);
    rooms++;
}

static void
on_bytes(struct curlew_fetch *f)
{
    (void)f;
    calls++;
}

static void
opens(int64_t length, int64_t max)
{
    struct upload_size size = { length, max };

    upload_pipe_free(p);
    p = upload_pipe_new(NULL, &size, on_room, &rooms);
    cr_assert_not_null(p);
    upload_pipe_attach(p, on_bytes);
}

static void
setup(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    opens(UPLOAD_UNKNOWN_LENGTH, 0);
}

static void
teardown(void)
{
    upload_pipe_free(p);
}

TestSuite(upload_pipe, .init = setup, .fini = teardown, .timeout = 60);

/* The next bytes to be read are n that were written from bytes + from on, and no more than most. */
static void
reads(size_t most, size_t n, size_t from)
{
    static char got[ALL + 100];
    size_t count;

    cr_assert_eq(upload_pipe_read(p, got, most, &count), n > 0 ? UPLOAD_BYTES : UPLOAD_EMPTY);
    cr_assert_eq(count, n);
    cr_assert_arr_eq(got, bytes + from, n);
}

static enum upload_read
read_end(void)
{
    char c;
    size_t count;

    return upload_pipe_read(p, &c, 1, &count);
}

static void
has_failed(enum error error, const char *detail)
{
    struct failure err = { 0 };

    cr_assert_eq(upload_pipe_check(p, &err), -1);
    cr_assert_eq(err.error, error, "%s", err.detail);
    cr_assert_str_eq(err.detail, detail);
    cr_assert_eq(read_end(), UPLOAD_FAILED);
}

Test(upload_pipe, bytes_come_out_as_they_went_in_also_round_the_end_of_the_ring)
{
    cr_assert_eq(upload_pipe_write(p, bytes, 200000), 200000);
    reads(150000, 150000, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, 200000), 200000);
    reads(50000, 50000, 150000);
    reads(ALL, 200000, 0);
}

Test(upload_pipe, the_end_is_told_once_all_was_read)
{
    cr_assert_eq(upload_pipe_write(p, bytes, 10), 10);
    upload_pipe_end(p);
    reads(ALL, 10, 0);
    cr_assert_eq(read_end(), UPLOAD_END);
    cr_assert_eq(upload_pipe_bytes_read(p), 10);
}

Test(upload_pipe, a_full_pipe_takes_no_more_and_tells_once_half_of_it_is_free)
{
    cr_assert_eq(upload_pipe_write(p, bytes, ALL + 1), ALL);
    cr_assert_eq(upload_pipe_write(p, bytes, 1), 0);
    reads(ALL / 2 - 1, ALL / 2 - 1, 0);
    cr_assert_eq(rooms, 0);
    reads(1, 1, ALL / 2 - 1);
    cr_assert_eq(rooms, 1);
    reads(1, 1, ALL / 2);
    cr_assert_eq(rooms, 1);
    upload_pipe_ack_room(p);
    cr_assert_eq(upload_pipe_write(p, bytes, ALL), ALL / 2 + 1);
}

Test(upload_pipe, one_call_about_bytes_is_under_way_at_most)
{
    cr_assert_eq(read_end(), UPLOAD_EMPTY);
    cr_assert(upload_pipe_is_starved(p));
    upload_pipe_write(p, bytes, 1);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(calls, 1);
    cr_assert(upload_pipe_try_wake(p));
    cr_assert_not(upload_pipe_is_starved(p));
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(calls, 1, "nobody waits");
}

/* The transfer starves again while the call is under way: it must not wait for ever. */
Test(upload_pipe, what_comes_while_a_call_is_under_way_is_seen_after_it)
{
    cr_assert_eq(read_end(), UPLOAD_EMPTY);
    upload_pipe_write(p, bytes, 1);
    reads(1, 1, 0);
    cr_assert_eq(read_end(), UPLOAD_EMPTY);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(calls, 1);
    cr_assert(upload_pipe_try_wake(p));
    cr_assert_not(upload_pipe_is_starved(p));
    reads(1, 1, 0);
}

/* Another hop has begun meanwhile, which was not paused: libcurl could not let it go on. */
Test(upload_pipe, a_call_finds_nobody_paused_once_the_body_begins_again)
{
    cr_assert_eq(read_end(), UPLOAD_EMPTY);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(upload_pipe_rewind(p), 0);
    cr_assert_not(upload_pipe_try_wake(p));
    reads(1, 1, 0);
    cr_assert_eq(read_end(), UPLOAD_EMPTY);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(calls, 2);
}

Test(upload_pipe, the_last_byte_of_a_known_length_waits_for_the_end)
{
    opens(3, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, 3), 3);
    reads(ALL, 2, 0);
    reads(ALL, 0, 0);
    upload_pipe_end(p);
    reads(ALL, 1, 2);
    cr_assert_eq(read_end(), UPLOAD_END);
}

Test(upload_pipe, too_many_bytes_and_too_few_are_told_with_their_number)
{
    opens(3, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, 4), 4);
    has_failed(ERROR_BAD_REQUEST, "body_follows: 3 bytes were announced, and 4 or more were given");
    opens(3, 0);
    upload_pipe_write(p, bytes, 2);
    upload_pipe_end(p);
    has_failed(ERROR_BAD_REQUEST, "body_follows: 3 bytes were announced, and 2 were given");
    opens(0, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, 1), 1);
    has_failed(ERROR_BAD_REQUEST, "body_follows: 0 bytes were announced, and 1 or more were given");
}

Test(upload_pipe, the_limit_is_allowed_and_one_byte_more_is_not)
{
    opens(UPLOAD_UNKNOWN_LENGTH, 100);
    upload_pipe_write(p, bytes, 100);
    reads(ALL, 100, 0);
    upload_pipe_write(p, bytes, 1);
    has_failed(ERROR_REQUEST_TOO_LARGE,
               "limits.upload_bytes: the request's body is over 100 bytes");
}

Test(upload_pipe, a_failure_is_told_and_the_first_one_stays)
{
    struct failure first = { .error = ERROR_INTERNAL, .detail = "first" };
    struct failure second = { .error = ERROR_BAD_REQUEST, .detail = "second" };

    upload_pipe_fail(p, &first);
    upload_pipe_fail(p, &second);
    cr_assert_eq(calls, 1);
    has_failed(ERROR_INTERNAL, "first");
}

Test(upload_pipe, as_much_as_the_pipe_holds_can_be_read_again_and_one_byte_more_can_not)
{
    upload_pipe_write(p, bytes, ALL);
    reads(ALL, ALL, 0);
    cr_assert_eq(upload_pipe_rewind(p), 0);
    reads(ALL, ALL, 0);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(upload_pipe_rewind(p), -1);
    cr_assert_not(upload_pipe_try_hold(p));
    reads(ALL, 1, 0);
}

Test(upload_pipe, what_is_held_is_kept_until_it_is_released_or_read_again)
{
    upload_pipe_write(p, bytes, ALL);
    reads(ALL, ALL, 0);
    cr_assert(upload_pipe_try_hold(p));
    cr_assert_eq(upload_pipe_write(p, bytes, 1), 0);
    cr_assert_eq(rooms, 0);
    upload_pipe_release(p);
    cr_assert_eq(rooms, 1);
    cr_assert(upload_pipe_try_hold(p));
    cr_assert_eq(upload_pipe_rewind(p), 0);
    reads(ALL, ALL, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, 1), 1);
}

Test(upload_pipe, what_nobody_reads_any_more_is_counted_and_dropped)
{
    opens(ALL + 5, 0);
    cr_assert_eq(upload_pipe_write(p, bytes, ALL + 1), ALL);
    upload_pipe_discard(p);
    cr_assert_eq(rooms, 1);
    cr_assert_eq(upload_pipe_write(p, bytes, 5), 5);
    cr_assert_not(upload_pipe_try_hold(p));
    cr_assert_eq(upload_pipe_rewind(p), -1);
    upload_pipe_write(p, bytes, 1);
    cr_assert_eq(upload_pipe_check(p, &(struct failure){ 0 }), -1);
}

Test(upload_pipe, a_short_body_takes_no_more_memory_than_it_has_bytes)
{
    cr_assert_eq(upload_pipe_size(p), UPLOAD_PIPE_BYTES);
    cr_assert_eq(upload_pipe_length(p), UPLOAD_UNKNOWN_LENGTH);
    opens(1000, 0);
    cr_assert_eq(upload_pipe_size(p), 1000);
    opens(ALL + 1, 0);
    cr_assert_eq(upload_pipe_size(p), ALL);
    cr_assert_eq(upload_pipe_length(p), ALL + 1);
}
