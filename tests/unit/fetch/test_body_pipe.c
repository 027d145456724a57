/* test_body_pipe.c - a response body on its way from an engine thread to its reader's thread. */

#include "fetch/body_pipe.h"

#include "session/body_account.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static struct body_pipe *p;
static struct body_account *account;
static char bytes[BODY_PIPE_BYTES];
static int notified, resumed;

static void
on_notify(struct curlew_fetch *f, void *arg)
{
    (void)f;
    cr_assert_eq(arg, &notified);
    notified++;
}

static void
on_resume(struct curlew_fetch *f)
{
    (void)f;
    resumed++;
}

static void
setup(void)
{
    p = body_pipe_new(NULL, on_notify, &notified);
    cr_assert_not_null(p);
    account = body_account_new();
    body_pipe_attach(p, on_resume, account);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
}

static void
teardown(void)
{
    body_pipe_free(p);
    cr_assert_eq(counter_read(&account->bytes), 0);
    body_account_unref(account);
}

TestSuite(body_pipe, .init = setup, .fini = teardown, .timeout = 60);

/* Read n bytes, which continue what was written at `from`. */
static void
reads(size_t n, size_t from)
{
    const char *got;
    size_t k;

    for (; n > 0; from += k, n -= k) {
        k = body_pipe_peek(p, &got, n);
        cr_assert(k > 0, "%zu bytes are missing", n);
        cr_assert_arr_eq(got, bytes + from, k);
        body_pipe_consume(p, k);
    }
}

static bool
is_empty(void)
{
    const char *got;

    return body_pipe_peek(p, &got, 1) == 0;
}

Test(body_pipe, bytes_come_out_as_they_went_in_also_round_the_end_of_the_ring)
{
    cr_assert(is_empty());
    cr_assert(body_pipe_try_write(p, bytes, 40000));
    reads(30000, 0);
    cr_assert(body_pipe_try_write(p, bytes, 50000));
    reads(10000, 30000);
    reads(50000, 0);
    cr_assert(is_empty());
}

#define PIECE  5000
#define PIECES 5000

static void *
write_pieces(void *arg)
{
    (void)arg;
    for (int i = 0; i < PIECES; i++)
        while (!body_pipe_try_write(p, bytes + i % 1000, PIECE))
            sched_yield();
    return NULL;
}

/* Where the reader is in the pieces. */
static char
expected(size_t at)
{
    return bytes[at / PIECE % 1000 + at % PIECE];
}

Test(body_pipe, two_threads_copy_at_the_same_time)
{
    pthread_t writer;
    const char *got;
    size_t n;

    cr_assert_eq(pthread_create(&writer, NULL, write_pieces, NULL), 0);
    for (size_t at = 0; at < (size_t)PIECE * PIECES; at += n) {
        if ((n = body_pipe_peek(p, &got, 16384)) == 0)
            sched_yield();
        for (size_t i = 0; i < n; i += 97)
            cr_assert_eq(got[i], expected(at + i), "byte %zu", at + i);
        body_pipe_consume(p, n);
    }
    pthread_join(writer, NULL);
    cr_assert(is_empty());
}

Test(body_pipe, a_full_pipe_takes_nothing_and_resumes_once_half_is_read)
{
    cr_assert(body_pipe_try_write(p, bytes, BODY_PIPE_BYTES));
    reads(BODY_PIPE_BYTES, 0);
    cr_assert_eq(resumed, 0, "no write was refused");
    cr_assert(body_pipe_try_write(p, bytes, BODY_PIPE_BYTES));
    cr_assert_not(body_pipe_try_write(p, bytes, 1));
    reads(BODY_PIPE_BYTES / 2 - 1, 0);
    cr_assert_eq(resumed, 0);
    reads(1, BODY_PIPE_BYTES / 2 - 1);
    cr_assert_eq(resumed, 1);
    reads(BODY_PIPE_BYTES / 2, BODY_PIPE_BYTES / 2);
    cr_assert_eq(resumed, 1, "only once");
}

Test(body_pipe, what_it_holds_is_on_the_account)
{
    cr_assert(body_pipe_try_write(p, bytes, 1000));
    cr_assert_eq(counter_read(&account->bytes), 1000);
    cr_assert_not(body_pipe_try_write(p, bytes, BODY_PIPE_BYTES));
    cr_assert_eq(counter_read(&account->bytes), 1000, "nothing of what was refused");
    reads(400, 0);
    cr_assert_eq(counter_read(&account->bytes), 600, "and the rest until the pipe is freed");
}

Test(body_pipe, at_most_one_notification_is_under_way)
{
    cr_assert_not(body_pipe_has_head(p));
    body_pipe_publish_head(p);
    cr_assert(body_pipe_has_head(p));
    cr_assert(body_pipe_try_write(p, bytes, 1));
    cr_assert_eq(notified, 1);
    body_pipe_ack_notify(p);
    cr_assert(body_pipe_try_write(p, bytes, 1));
    cr_assert(body_pipe_try_write(p, bytes, 1));
    cr_assert_eq(notified, 2);
}
