/*
 * test_libfcgi_codec.c - libfcgi as a codec: it reads from and writes to memory.
 *
 * These tests are also what fails on the day libfcgi changes the meaning of
 * its private fields, or of OS_Read, OS_Write and OS_IpcClose.
 */

#include "fastcgi/libfcgi_codec.h"

#include "support/codec_fixture.h"
#include "support/fcgi_records.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct codec_fixture t;

static void
setup(void)
{
    codec_fixture_open(&t);
}

static void
teardown(void)
{
    codec_fixture_close(&t);
    runner_check_leaks();
}

TestSuite(libfcgi_codec, .init = setup, .fini = teardown, .timeout = 20);

static struct buffer sent; /* the body as it arrived */

static void
read_body(void)
{
    buffer_init(&sent, 1 << 24);
    cr_assert_eq(libfcgi_codec_read_body(t.codec, &sent), 0);
}

/* -- a request ----------------------------------------------------------- */

Test(libfcgi_codec, parameters_are_read_from_memory)
{
    CODEC_ACCEPT(&t, "REQUEST_METHOD", "GET", "EMPTY", "", "ODD", "a=b=c");

    cr_assert_str_eq(libfcgi_codec_param(t.codec, "REQUEST_METHOD"), "GET");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "EMPTY"), "");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "ODD"), "a=b=c");
    cr_assert_null(libfcgi_codec_param(t.codec, "REQUEST"));
    cr_assert_null(libfcgi_codec_param(t.codec, "ABSENT"));
    cr_assert_eq(t.in.len, 0, "what was read is gone");
}

Test(libfcgi_codec, parameters_of_short_names_are_found)
{
    CODEC_ACCEPT(&t, "", "none", "A", "one", "BC", "two", "DEF", "three");

    cr_assert_str_eq(libfcgi_codec_param(t.codec, ""), "none");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "A"), "one");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "BC"), "two");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "DEF"), "three");
}

Test(libfcgi_codec, a_request_without_parameters_and_body_is_one)
{
    CODEC_ACCEPT(&t);
    cr_assert_null(libfcgi_codec_param(t.codec, "REQUEST_METHOD"));
    end_of(&t.in, FCGI_STDIN, 1);
    read_body();
    cr_assert_eq(sent.len, 0);
    buffer_free(&sent);
}

Test(libfcgi_codec, long_parameters_are_whole)
{
    char *value = calloc(1, 200001);

    memset(value, 'v', 200000);
    CODEC_ACCEPT(&t, "LONG", value, "AFTER", "1");
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "LONG"), value);
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "AFTER"), "1");
    free(value);
}

Test(libfcgi_codec, a_body_is_whole_with_every_byte)
{
    char all[256];

    CODEC_ACCEPT(&t);
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (int i = 0; i < 1000; i++)
        record(&t.in, FCGI_STDIN, 1, all, sizeof all, 0);
    end_of(&t.in, FCGI_STDIN, 1);
    read_body();
    cr_assert_eq(sent.len, 256000);
    for (size_t i = 0; i < sent.len; i++)
        cr_assert_eq(sent.data[i], (char)i);
    cr_assert_eq(t.in.len, 0);
    buffer_free(&sent);
}

Test(libfcgi_codec, the_wish_to_keep_the_connection_is_told)
{
    CODEC_ACCEPT(&t);
    cr_assert(libfcgi_codec_keeps_connection(t.codec));
    end_of(&t.in, FCGI_STDIN, 1);
    read_body();
    libfcgi_codec_finish(t.codec);
    begin(&t.in, 2, FCGI_RESPONDER, false);
    end_of(&t.in, FCGI_PARAMS, 2);
    cr_assert_eq(libfcgi_codec_accept(t.codec), 0);
    cr_assert_not(libfcgi_codec_keeps_connection(t.codec));
    buffer_free(&sent);
}

/* `pairs` of them, with names of so many bytes and values of as many. */
static void
accept_reserved(int pairs, size_t size)
{
    char text[300];
    size_t before;

    memset(text, 'x', sizeof text);
    text[size] = '\0';
    begin(&t.in, 1, FCGI_RESPONDER, true);
    before = t.in.len;
    for (int i = 0; i < pairs; i++)
        param(&t.in, 1, text, text);
    cr_assert_eq(libfcgi_codec_reserve(t.codec, t.in.len - before, (size_t)pairs), 0);
    end_of(&t.in, FCGI_PARAMS, 1);
    cr_assert_eq(libfcgi_codec_accept(t.codec), 0);
    libfcgi_codec_write(t.codec, text, size);
    cr_assert_eq(libfcgi_codec_unreserved(t.codec), 0, "%d pairs of %zu bytes", pairs, size);
    libfcgi_codec_abandon(t.codec);
}

/* On the day that libfcgi needs more, this fails. */
Test(libfcgi_codec, all_that_libfcgi_allocates_was_reserved)
{
    static const int pairs[] = { 0, 1, 29, 30, 31, 59, 60, 61, 1000, 60000 };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        accept_reserved(pairs[i], 0);
        accept_reserved(pairs[i], 1);
        if (pairs[i] < 1000)
            accept_reserved(pairs[i], 250);
    }
}

/* -- an answer ----------------------------------------------------------- */

Test(libfcgi_codec, an_answer_is_framed_and_ended_once)
{
    struct answer a;

    CODEC_ACCEPT(&t);
    end_of(&t.in, FCGI_STDIN, 1);
    read_body();
    libfcgi_codec_write(t.codec, "Status: 200\r\n\r\n", 15);
    libfcgi_codec_write(t.codec, "body", 4);
    libfcgi_codec_finish(t.codec);
    codec_fixture_read(&t, &a);
    cr_assert_eq(a.text.len, 19);
    cr_assert_eq(memcmp(a.text.data, "Status: 200\r\n\r\nbody", 19), 0);
    cr_assert_eq(a.ends, 1);
    cr_assert_eq(a.empty_stdouts, 1, "the end of STDOUT");
    cr_assert_eq(a.app_status, 0);
    cr_assert_eq(a.protocol_status, 0);
    cr_assert_eq(a.id, 1);
    buffer_free(&a.text);
    buffer_free(&sent);
}

Test(libfcgi_codec, the_request_id_is_echoed)
{
    struct answer a;

    begin(&t.in, 0x1234, FCGI_RESPONDER, true);
    end_of(&t.in, FCGI_PARAMS, 0x1234);
    cr_assert_eq(libfcgi_codec_accept(t.codec), 0);
    end_of(&t.in, FCGI_STDIN, 0x1234);
    read_body();
    libfcgi_codec_finish(t.codec);
    codec_fixture_read(&t, &a);
    cr_assert_eq(a.id, 0x1234);
    buffer_free(&a.text);
    buffer_free(&sent);
}

Test(libfcgi_codec, a_large_answer_is_whole)
{
    char *text = malloc(3000000);
    struct answer a;

    for (int i = 0; i < 3000000; i++)
        text[i] = (char)(i * 7);
    CODEC_ACCEPT(&t);
    libfcgi_codec_write(t.codec, text, 3000000);
    libfcgi_codec_finish(t.codec);
    codec_fixture_read(&t, &a);
    cr_assert_eq(a.text.len, 3000000);
    cr_assert_eq(memcmp(a.text.data, text, 3000000), 0);
    buffer_free(&a.text);
    free(text);
}

Test(libfcgi_codec, stderr_goes_out_at_once_in_one_record)
{
    static const char text[] = "curlew: timeout not done after 1 s";
    const unsigned char *record;
    size_t before;

    CODEC_ACCEPT(&t);
    libfcgi_codec_write(t.codec, "body", 4);
    libfcgi_codec_flush(t.codec);
    before = t.out.len;
    libfcgi_codec_write_stderr(t.codec, text);
    record = (const unsigned char *)t.out.data + before;
    cr_assert_eq(record[1], FCGI_STDERR);
    cr_assert_eq(record[4] << 8 | record[5], sizeof text - 1);
    cr_assert_eq(memcmp(record + 8, text, sizeof text - 1), 0);
    libfcgi_codec_abandon(t.codec);
    cr_assert_eq((const char *)record + 8 + sizeof text - 1 + record[6], t.out.data + t.out.len);
}

Test(libfcgi_codec, what_is_flushed_goes_out_at_once)
{
    CODEC_ACCEPT(&t);
    libfcgi_codec_write(t.codec, "event", 5);
    cr_assert_eq(t.out.len, 0, "libfcgi gathers 8 KiB");
    libfcgi_codec_flush(t.codec);
    cr_assert_not_null(memmem(t.out.data, t.out.len, "event", 5));
}

Test(libfcgi_codec, an_abandoned_request_ends_without_a_word)
{
    CODEC_ACCEPT(&t);
    libfcgi_codec_write(t.codec, "lost", 4);
    libfcgi_codec_abandon(t.codec);
    cr_assert_eq(t.out.len, 0);
}

Test(libfcgi_codec, an_output_that_is_full_fails_and_says_so)
{
    char *text = calloc(1, 100000);

    CODEC_ACCEPT(&t);
    t.out.max = 50000;
    libfcgi_codec_write(t.codec, text, 100000);
    cr_assert_not(buffer_ok(&t.out));
    libfcgi_codec_finish(t.codec);
    free(text);
}

/* -- one connection, many requests --------------------------------------- */

Test(libfcgi_codec, requests_follow_each_other_on_one_connection)
{
    for (int i = 1; i <= 300; i++) {
        struct answer a;
        char number[16];

        snprintf(number, sizeof number, "%d", i);
        begin(&t.in, i, FCGI_RESPONDER, i % 2);
        param(&t.in, i, "NUMBER", number);
        if (i % 3 == 0)
            param(&t.in, i, "THIRD", "1");
        end_of(&t.in, FCGI_PARAMS, i);
        cr_assert_eq(libfcgi_codec_accept(t.codec), 0);
        cr_assert_str_eq(libfcgi_codec_param(t.codec, "NUMBER"), number);
        cr_assert_eq(libfcgi_codec_param(t.codec, "THIRD") != NULL, i % 3 == 0,
                     "of this request alone");
        body(&t.in, i, number);
        end_of(&t.in, FCGI_STDIN, i);
        read_body();
        cr_assert_eq(sent.len, strlen(number));
        libfcgi_codec_write(t.codec, number, strlen(number));
        libfcgi_codec_finish(t.codec);
        codec_fixture_read(&t, &a);
        cr_assert_eq(a.id, i);
        cr_assert_eq(a.text.len, strlen(number));
        buffer_free(&a.text);
        buffer_free(&sent);
        buffer_clear(&t.out);
    }
}

Test(libfcgi_codec, two_connections_on_one_thread_do_not_mix)
{
    struct buffer in2, out2;
    struct libfcgi_codec *other;

    buffer_init(&in2, 10000);
    buffer_init(&out2, 10000);
    other = libfcgi_codec_new(&in2, &out2);
    CODEC_ACCEPT(&t, "WHO", "first");
    begin(&in2, 9, FCGI_RESPONDER, true);
    param(&in2, 9, "WHO", "second");
    end_of(&in2, FCGI_PARAMS, 9);
    cr_assert_eq(libfcgi_codec_accept(other), 0);

    libfcgi_codec_write(t.codec, "to the first", 12);
    libfcgi_codec_write(other, "to the second", 13);
    cr_assert_str_eq(libfcgi_codec_param(t.codec, "WHO"), "first");
    cr_assert_str_eq(libfcgi_codec_param(other, "WHO"), "second");
    libfcgi_codec_finish(other);
    libfcgi_codec_finish(t.codec);
    cr_assert_not_null(memmem(t.out.data, t.out.len, "to the first", 12));
    cr_assert_null(memmem(t.out.data, t.out.len, "to the second", 13));
    cr_assert_not_null(memmem(out2.data, out2.len, "to the second", 13));
    libfcgi_codec_free(other);
    buffer_free(&in2);
    buffer_free(&out2);
}

/* -- what must not look like a request ----------------------------------- */

Test(libfcgi_codec, parameters_cut_short_are_no_request)
{
    struct buffer whole;

    buffer_init(&whole, 1000);
    begin(&whole, 1, FCGI_RESPONDER, true);
    param(&whole, 1, "NAME", "value");
    end_of(&whole, FCGI_PARAMS, 1);
    for (size_t n = 0; n < whole.len; n++) {
        buffer_clear(&t.in);
        buffer_add(&t.in, whole.data, n);
        cr_assert_eq(libfcgi_codec_accept(t.codec), -1, "of the first %zu bytes", n);
        libfcgi_codec_free(t.codec);
        t.codec = libfcgi_codec_new(&t.in, &t.out);
    }
    buffer_free(&whole);
}

Test(libfcgi_codec, a_body_cut_short_is_no_body)
{
    CODEC_ACCEPT(&t);
    body(&t.in, 1, "half");
    buffer_init(&sent, 1000);
    cr_assert_eq(libfcgi_codec_read_body(t.codec, &sent), -1);
    buffer_free(&sent);
}

Test(libfcgi_codec, a_body_over_the_limit_of_its_buffer_is_none)
{
    CODEC_ACCEPT(&t);
    body(&t.in, 1, "12345");
    end_of(&t.in, FCGI_STDIN, 1);
    buffer_init(&sent, 4);
    cr_assert_eq(libfcgi_codec_read_body(t.codec, &sent), -1);
    buffer_free(&sent);
}

/* -- libfcgi's private t.codec ---------------------------------------------- */

/* libfcgi_codec_accept() relies on each of these. */
Test(libfcgi_codec, the_private_fields_are_what_they_were)
{
    FCGX_Request r;

    cr_assert_eq(FCGX_InitRequest(&r, -1, 0), 0);
    cr_assert_eq(r.ipcFd, -1, "no connection yet: Accept_r() would accept one");
    cr_assert_eq(r.keepConnection, 0);
    cr_assert_eq(r.listen_sock, -1);
    cr_assert_eq(FCGX_Accept_r(&r), -EBADF, "which fails at once without a listener");
    FCGX_Free(&r, 0);
}

static int
open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

/* Neither accepts, nor reads, nor closes: the connection owns its socket. */
Test(libfcgi_codec, no_descriptor_is_touched)
{
    int before = open_descriptors();

    for (int i = 0; i < 10; i++) {
        begin(&t.in, 1, FCGI_RESPONDER, false); /* libfcgi would close after this one */
        end_of(&t.in, FCGI_PARAMS, 1);
        cr_assert_eq(libfcgi_codec_accept(t.codec), 0);
        libfcgi_codec_write(t.codec, "x", 1);
        libfcgi_codec_finish(t.codec);
    }
    cr_assert_eq(libfcgi_codec_accept(t.codec), -1, "there is nothing to read");
    cr_assert_eq(open_descriptors(), before);
}

/* The functions that libfcgi calls are the program's, not the library's. */
Test(libfcgi_codec, the_hooks_are_ours)
{
    char bytes[4] = "abc";

    CODEC_ACCEPT(&t);
    buffer_clear(&t.in);
    buffer_adds(&t.in, "xyz");
    cr_assert_eq(OS_Read(-1, bytes, 2), 2);
    cr_assert_eq(memcmp(bytes, "xy", 2), 0);
    cr_assert_eq(OS_Read(-1, bytes, 4), 1, "what is left");
    cr_assert_eq(OS_Read(-1, bytes, 4), 0, "the end, and not EAGAIN");
    cr_assert_eq(OS_Write(-1, bytes, 3), 3);
    cr_assert_eq(t.out.len, 3);
    cr_assert_eq(OS_IpcClose(-1, 1), 0);
}
