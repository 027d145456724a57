/*
 * test_libfcgi_codec.c - libfcgi as a codec: it reads from and writes to memory.
 *
 * These tests are also what fails on the day libfcgi changes the meaning of
 * its private fields, or of OS_Read, OS_Write and OS_IpcClose.
 */

#include "fastcgi/libfcgi_codec.h"

#include "support/codec_fixture.h"
#include "support/runner.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void
teardown(void)
{
    side_close();
    OS_LibShutdown();
    runner_check_leaks();
}

TestSuite(fastcgi, .init = side_open, .fini = teardown, .timeout = 20);

static struct buffer sent; /* the body as it arrived */

static void
read_body(void)
{
    buffer_init(&sent, 1 << 24);
    cr_assert_eq(libfcgi_codec_read_body(side, &sent), 0);
}

/* -- a request ----------------------------------------------------------- */

Test(fastcgi, parameters_are_read_from_memory)
{
    SIDE_ACCEPT("REQUEST_METHOD", "GET", "EMPTY", "", "ODD", "a=b=c");

    cr_assert_str_eq(libfcgi_codec_param(side, "REQUEST_METHOD"), "GET");
    cr_assert_str_eq(libfcgi_codec_param(side, "EMPTY"), "");
    cr_assert_str_eq(libfcgi_codec_param(side, "ODD"), "a=b=c");
    cr_assert_null(libfcgi_codec_param(side, "REQUEST"));
    cr_assert_null(libfcgi_codec_param(side, "ABSENT"));
    cr_assert_eq(in.len, 0, "what was read is gone");
}

Test(fastcgi, a_request_without_parameters_and_body_is_one)
{
    SIDE_ACCEPT();
    cr_assert_null(libfcgi_codec_param(side, "REQUEST_METHOD"));
    end_of(&in, FCGI_STDIN, 1);
    read_body();
    cr_assert_eq(sent.len, 0);
    buffer_free(&sent);
}

Test(fastcgi, long_parameters_are_whole)
{
    char *value = calloc(1, 200001);

    memset(value, 'v', 200000);
    SIDE_ACCEPT("LONG", value, "AFTER", "1");
    cr_assert_str_eq(libfcgi_codec_param(side, "LONG"), value);
    cr_assert_str_eq(libfcgi_codec_param(side, "AFTER"), "1");
    free(value);
}

Test(fastcgi, a_body_is_whole_with_every_byte)
{
    char all[256];

    SIDE_ACCEPT();
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (int i = 0; i < 1000; i++)
        record(&in, FCGI_STDIN, 1, all, sizeof all, 0);
    end_of(&in, FCGI_STDIN, 1);
    read_body();
    cr_assert_eq(sent.len, 256000);
    for (size_t i = 0; i < sent.len; i++)
        cr_assert_eq(sent.data[i], (char)i);
    cr_assert_eq(in.len, 0);
    buffer_free(&sent);
}

Test(fastcgi, the_wish_to_keep_the_connection_is_told)
{
    SIDE_ACCEPT();
    cr_assert(libfcgi_codec_keeps_connection(side));
    end_of(&in, FCGI_STDIN, 1);
    read_body();
    libfcgi_codec_finish(side);
    begin(&in, 2, FCGI_RESPONDER, false);
    end_of(&in, FCGI_PARAMS, 2);
    cr_assert_eq(libfcgi_codec_accept(side), 0);
    cr_assert_not(libfcgi_codec_keeps_connection(side));
    buffer_free(&sent);
}

/* -- an answer ----------------------------------------------------------- */

Test(fastcgi, an_answer_is_framed_and_ended_once)
{
    struct answer a;

    SIDE_ACCEPT();
    end_of(&in, FCGI_STDIN, 1);
    read_body();
    libfcgi_codec_write(side, "Status: 200\r\n\r\n", 15);
    libfcgi_codec_write(side, "body", 4);
    libfcgi_codec_finish(side);
    side_read_answer(&a);
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

Test(fastcgi, the_request_id_is_echoed)
{
    struct answer a;

    begin(&in, 0x1234, FCGI_RESPONDER, true);
    end_of(&in, FCGI_PARAMS, 0x1234);
    cr_assert_eq(libfcgi_codec_accept(side), 0);
    end_of(&in, FCGI_STDIN, 0x1234);
    read_body();
    libfcgi_codec_finish(side);
    side_read_answer(&a);
    cr_assert_eq(a.id, 0x1234);
    buffer_free(&a.text);
    buffer_free(&sent);
}

Test(fastcgi, a_large_answer_is_whole)
{
    char *text = malloc(3000000);
    struct answer a;

    for (int i = 0; i < 3000000; i++)
        text[i] = (char)(i * 7);
    SIDE_ACCEPT();
    libfcgi_codec_write(side, text, 3000000);
    libfcgi_codec_finish(side);
    side_read_answer(&a);
    cr_assert_eq(a.text.len, 3000000);
    cr_assert_eq(memcmp(a.text.data, text, 3000000), 0);
    buffer_free(&a.text);
    free(text);
}

Test(fastcgi, what_is_flushed_goes_out_at_once)
{
    SIDE_ACCEPT();
    libfcgi_codec_write(side, "event", 5);
    cr_assert_eq(out.len, 0, "libfcgi gathers 8 KiB");
    libfcgi_codec_flush(side);
    cr_assert_not_null(memmem(out.data, out.len, "event", 5));
}

Test(fastcgi, an_abandoned_request_ends_without_a_word)
{
    SIDE_ACCEPT();
    libfcgi_codec_write(side, "lost", 4);
    libfcgi_codec_abandon(side);
    cr_assert_eq(out.len, 0);
}

Test(fastcgi, an_output_that_is_full_fails_and_says_so)
{
    char *text = calloc(1, 100000);

    SIDE_ACCEPT();
    out.max = 50000;
    libfcgi_codec_write(side, text, 100000);
    cr_assert_not(buffer_ok(&out));
    libfcgi_codec_finish(side);
    free(text);
}

/* -- one connection, many requests --------------------------------------- */

Test(fastcgi, requests_follow_each_other_on_one_connection)
{
    for (int i = 1; i <= 300; i++) {
        struct answer a;
        char number[16];

        snprintf(number, sizeof number, "%d", i);
        begin(&in, i, FCGI_RESPONDER, i % 2);
        param(&in, i, "NUMBER", number);
        if (i % 3 == 0)
            param(&in, i, "THIRD", "1");
        end_of(&in, FCGI_PARAMS, i);
        cr_assert_eq(libfcgi_codec_accept(side), 0);
        cr_assert_str_eq(libfcgi_codec_param(side, "NUMBER"), number);
        cr_assert_eq(libfcgi_codec_param(side, "THIRD") != NULL, i % 3 == 0,
                     "of this request alone");
        body(&in, i, number);
        end_of(&in, FCGI_STDIN, i);
        read_body();
        cr_assert_eq(sent.len, strlen(number));
        libfcgi_codec_write(side, number, strlen(number));
        libfcgi_codec_finish(side);
        side_read_answer(&a);
        cr_assert_eq(a.id, i);
        cr_assert_eq(a.text.len, strlen(number));
        buffer_free(&a.text);
        buffer_free(&sent);
        buffer_clear(&out);
    }
}

Test(fastcgi, two_connections_on_one_thread_do_not_mix)
{
    struct buffer in2, out2;
    struct libfcgi_codec *other;

    buffer_init(&in2, 10000);
    buffer_init(&out2, 10000);
    other = libfcgi_codec_new(&in2, &out2);
    SIDE_ACCEPT("WHO", "first");
    begin(&in2, 9, FCGI_RESPONDER, true);
    param(&in2, 9, "WHO", "second");
    end_of(&in2, FCGI_PARAMS, 9);
    cr_assert_eq(libfcgi_codec_accept(other), 0);

    libfcgi_codec_write(side, "to the first", 12);
    libfcgi_codec_write(other, "to the second", 13);
    cr_assert_str_eq(libfcgi_codec_param(side, "WHO"), "first");
    cr_assert_str_eq(libfcgi_codec_param(other, "WHO"), "second");
    libfcgi_codec_finish(other);
    libfcgi_codec_finish(side);
    cr_assert_not_null(memmem(out.data, out.len, "to the first", 12));
    cr_assert_null(memmem(out.data, out.len, "to the second", 13));
    cr_assert_not_null(memmem(out2.data, out2.len, "to the second", 13));
    libfcgi_codec_free(other);
    buffer_free(&in2);
    buffer_free(&out2);
}

/* -- what must not look like a request ----------------------------------- */

Test(fastcgi, parameters_cut_short_are_no_request)
{
    struct buffer whole;

    buffer_init(&whole, 1000);
    begin(&whole, 1, FCGI_RESPONDER, true);
    param(&whole, 1, "NAME", "value");
    end_of(&whole, FCGI_PARAMS, 1);
    for (size_t n = 0; n < whole.len; n++) {
        buffer_clear(&in);
        buffer_add(&in, whole.data, n);
        cr_assert_eq(libfcgi_codec_accept(side), -1, "of the first %zu bytes", n);
        libfcgi_codec_free(side);
        side = libfcgi_codec_new(&in, &out);
    }
    buffer_free(&whole);
}

Test(fastcgi, a_body_cut_short_is_no_body)
{
    SIDE_ACCEPT();
    body(&in, 1, "half");
    buffer_init(&sent, 1000);
    cr_assert_eq(libfcgi_codec_read_body(side, &sent), -1);
    buffer_free(&sent);
}

Test(fastcgi, a_body_over_the_limit_of_its_buffer_is_none)
{
    SIDE_ACCEPT();
    body(&in, 1, "12345");
    end_of(&in, FCGI_STDIN, 1);
    buffer_init(&sent, 4);
    cr_assert_eq(libfcgi_codec_read_body(side, &sent), -1);
    buffer_free(&sent);
}

/* -- libfcgi's private side ---------------------------------------------- */

/* libfcgi_codec_accept() relies on each of these. */
Test(fastcgi, the_private_fields_are_what_they_were)
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
Test(fastcgi, no_descriptor_is_touched)
{
    int before = open_descriptors();

    for (int i = 0; i < 10; i++) {
        begin(&in, 1, FCGI_RESPONDER, false); /* libfcgi would close after this one */
        end_of(&in, FCGI_PARAMS, 1);
        cr_assert_eq(libfcgi_codec_accept(side), 0);
        libfcgi_codec_write(side, "x", 1);
        libfcgi_codec_finish(side);
    }
    cr_assert_eq(libfcgi_codec_accept(side), -1, "there is nothing to read");
    cr_assert_eq(open_descriptors(), before);
}

/* The functions that libfcgi calls are the program's, not the library's. */
Test(fastcgi, the_hooks_are_ours)
{
    char bytes[4] = "abc";

    SIDE_ACCEPT();
    buffer_clear(&in);
    buffer_adds(&in, "xyz");
    cr_assert_eq(OS_Read(-1, bytes, 2), 2);
    cr_assert_eq(memcmp(bytes, "xy", 2), 0);
    cr_assert_eq(OS_Read(-1, bytes, 4), 1, "what is left");
    cr_assert_eq(OS_Read(-1, bytes, 4), 0, "the end, and not EAGAIN");
    cr_assert_eq(OS_Write(-1, bytes, 3), 3);
    cr_assert_eq(out.len, 3);
    cr_assert_eq(OS_IpcClose(-1, 1), 0);
}
