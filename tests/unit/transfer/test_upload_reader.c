/* test_upload_reader.c - gives libcurl the body of an upload, as it comes from the caller. */

#include "transfer/upload_reader.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct test_origin o;
static struct curlew *c;
static char seen[1000];

static void
serve(struct seen_request *x)
{
    snprintf(seen, sizeof seen, "%s%s|%s", origin_has(x, "Content-Length: 3") ? "length " : "",
             x->method, x->body_size > 0 ? x->body : "");
    if (origin_is(x, "/redirect"))
        origin_reply(x, 307, "Location: /there\r\n", "");
    else
        origin_reply(x, 200, "", "ok");
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", serve);
    c = runner_default_engine();
}

static void
teardown(void)
{
    engine_free(c);
}

TestSuite(upload_reader, .init = setup, .fini = teardown, .timeout = 60);

static void
on_room(struct curlew_fetch *f, void *arg)
{
    (void)f, (void)arg;
}

static struct curlew_fetch *
upload(const char *path, int64_t length)
{
    struct curlew_fetch *f = runner_fetch("%s%s", o.url, path);
    struct upload_size size = { length, 0 };

    f->request.body_follows = true;
    f->request.upload_length = length;
    cr_assert_eq(fetch_open_upload(f, &size, on_room, NULL), 0);
    return f;
}

/* The body is written after the fetch has begun; what it has come to. */
static const char *
runs(struct curlew_fetch *f, const char *body)
{
    struct run r;

    run_start(&r, c, f);
    for (; *body != '\0'; body++)
        upload_pipe_write(f->upload, body, 1);
    upload_pipe_end(f->upload);
    run_await(&r);
    return runner_code(f);
}

Test(upload_reader, a_body_of_known_length_has_that_length)
{
    struct curlew_fetch *f = upload("/", 3);

    cr_assert(upload_reader_is_wanted(f) == f->sends_body);
    cr_assert_str_eq(runs(f, "abc"), "ok");
    cr_assert_str_eq(seen, "length POST|abc");
    cr_assert_eq(f->response.bytes_sent, 3);
    fetch_unref(f);
}

Test(upload_reader, a_redirect_has_the_body_again)
{
    struct curlew_fetch *f = upload("/redirect", 3);

    cr_assert_str_eq(runs(f, "abc"), "ok");
    cr_assert_str_eq(seen, "length POST|abc");
    cr_assert_eq(f->response.bytes_sent, 6);
    cr_assert_not(f->response.body_not_replayed);
    fetch_unref(f);
}

Test(upload_reader, a_body_that_is_too_short_is_no_request)
{
    struct curlew_fetch *f = upload("/", 3);

    seen[0] = '\0';
    cr_assert_str_eq(runs(f, "ab"), "bad_request");
    cr_assert_str_eq(seen, "");
    fetch_unref(f);
}

Test(upload_reader, a_body_that_was_read_and_is_gone_cannot_start_again)
{
    static char bytes[UPLOAD_PIPE_BYTES];
    struct curlew_fetch *f = upload("/", UPLOAD_UNKNOWN_LENGTH);
    size_t got;

    f->sends_body = true;
    upload_pipe_write(f->upload, bytes, sizeof bytes);
    upload_pipe_read(f->upload, bytes, sizeof bytes, &got);
    cr_assert_eq(upload_reader_bytes_sent(f, (int64_t)sizeof bytes + 100), sizeof bytes);
    cr_assert_eq(upload_reader_bytes_sent(f, 100), 100);
    cr_assert_eq(upload_reader_start(f), 0);
    upload_pipe_read(f->upload, bytes, sizeof bytes, &got);
    upload_pipe_write(f->upload, bytes, 1);
    cr_assert_eq(upload_reader_start(f), -1);
    cr_assert_eq(f->failure.error, ERROR_SEND_FAILED);
    fetch_unref(f);
}

/* One of a host's addresses may be refused, and the next one connected to. */
Test(upload_reader, a_failure_from_before_is_not_the_uploads)
{
    struct curlew_fetch *f = upload("/", 3);

    failure_set(&f->failure, ERROR_BLOCKED, "the first address");
    upload_pipe_write(f->upload, "ab", 2);
    cr_assert_eq(upload_reader_wake(f), 0);
    upload_pipe_end(f->upload);
    cr_assert_eq(upload_reader_wake(f), -1);
    fetch_unref(f);
}
