/* test_upload_input.c - an upload: the request object's line, then the bytes of its body. */

#include "fastcgi/upload_input.h"

#include "support/fcgi_records.h"
#include "support/web_server.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct web_server w;
static int fd;

static void
setup(void)
{
    web_server_start(&w);
    fd = web_server_dial(&w);
}

static void
teardown(void)
{
    close(fd);
    web_server_stop(&w);
}

TestSuite(upload_input, .init = setup, .fini = teardown, .timeout = 60);

static bool is_ours; /* the peer is a client of ours */

/* The start of an upload, with this as the first of STDIN. */
static void
begins(const char *length, const char *text)
{
    struct buffer b;

    buffer_init(&b, 1 << 21);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_TYPE", "application/vnd.curlew.frames");
    param(&b, 1, "CONTENT_LENGTH", length);
    if (is_ours)
        param(&b, 1, "CURLEW_CLIENT", "test");
    end_of(&b, FCGI_PARAMS, 1);
    body(&b, 1, text);
    web_server_send(fd, &b);
}

static void
goes_on(const char *text)
{
    struct buffer b;

    buffer_init(&b, 1 << 21);
    body(&b, 1, text);
    web_server_send(fd, &b);
}

static void
ends(void)
{
    struct buffer b;

    buffer_init(&b, 1000);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
}

static void
is_taken_back(void)
{
    struct buffer b;

    buffer_init(&b, 1000);
    end_of(&b, FCGI_ABORT_REQUEST, 1);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
}

static const char *
line(const char *follows, const char *more)
{
    static char text[3000];

    snprintf(text, sizeof text, "{\"url\":\"%s/\",\"body_follows\":%s}\n%s", w.origin.url, follows,
             more);
    return text;
}

Test(upload_input, the_body_goes_to_the_origin_however_it_is_cut)
{
    begins("", line("true", ""));
    goes_on("one");
    goes_on("two");
    ends();
    web_server_expect(fd, "\"bytes_sent\":6");
    begins("", line("6", "onetwo"));
    ends();
    web_server_expect(fd, "\"bytes_sent\":6");
    begins("", "{\"url\":\"");
    goes_on(w.origin.url);
    goes_on("/\",\"body_follows\":true}");
    goes_on("\n");
    ends();
    web_server_expect(fd, "\"bytes_sent\":0");
}

Test(upload_input, the_limit_of_a_body_is_that_of_the_line_and_not_of_what_follows)
{
    char text[1001];

    memset(text, ' ', sizeof text - 1);
    text[1000] = '\0';
    begins("", line("true", text));
    goes_on(text);
    ends();
    web_server_expect(fd, "\"bytes_sent\":2000");
    begins("", text);
    goes_on("\n");
    ends();
    web_server_expect(fd, "Status: 400"); /* blanks are no request object */
    begins("", text);
    goes_on(" \n");
    ends();
    web_server_expect(fd, "over 1000 bytes");
    begins("", text);
    goes_on(" ");
    goes_on("\n");
    ends();
    web_server_expect(fd, "Status: 413");
}

Test(upload_input, a_request_without_the_end_of_its_line_is_refused)
{
    begins("", "{\"url\":\"http://127.0.0.1/\"}");
    ends();
    web_server_expect(fd, "ends within the line");
    begins("", "");
    ends();
    web_server_expect(fd, "ends within the line");
}

Test(upload_input, a_length_of_the_web_servers_must_be_that_of_all)
{
    char length[20];

    snprintf(length, sizeof length, "%zu", strlen(line("true", "abc")));
    begins(length, line("true", "abc"));
    ends();
    web_server_expect(fd, "\"bytes_sent\":3");
    begins(length, line("true", "ab"));
    ends();
    web_server_expect(fd, "CONTENT_LENGTH");
    begins(length, line("true", "abc"));
    goes_on("d");
    ends();
    web_server_expect(fd, "CONTENT_LENGTH");
}

Test(upload_input, a_refusal_drops_the_body_and_the_connection_serves_on)
{
    begins("", "{\"no\":1}\n");
    goes_on("what follows");
    ends();
    web_server_expect(fd, "Status: 400");
    begins("", line("0", "x"));
    ends();
    web_server_expect(fd, "0 bytes were announced");
    begins("", line("0", ""));
    ends();
    web_server_expect(fd, "\"bytes_sent\":0");
}

/* Or h2o would abort, and clients of HAProxy hang. */
Test(upload_input, a_response_waits_a_moment_for_the_end_of_the_upload)
{
    int64_t start = clock_us();

    begins("", "{\"no\":1}\n");
    web_server_expect(fd, "Status: 400");
    cr_assert_geq(clock_us() - start, 2 * US_PER_SECOND - US_PER_SECOND / 10);
    start = clock_us();
    ends();
    begins("", "{\"no\":1}\n");
    goes_on("more");
    ends();
    web_server_expect(fd, "Status: 400");
    is_ours = true;
    begins("", "{\"no\":1}\n");
    web_server_expect(fd, "Status: 400");
    cr_assert_lt(clock_us() - start, 2 * US_PER_SECOND - US_PER_SECOND / 10);
}

/* The end alone, or what became of the fetch if it was in flight by then. */
static void
expect_end(void)
{
    struct buffer text;

    cr_assert(web_server_read(fd, &text, 0));
    cr_assert(text.len == 0 || strstr(text.data, "Status: 499") != NULL, "%s", text.data);
    buffer_free(&text);
}

Test(upload_input, what_is_taken_back_is_no_body_and_waits_for_no_end)
{
    int64_t start = clock_us();

    begins("", line("true", "abc"));
    is_taken_back();
    expect_end();
    begins("", line("true", "abc"));
    ends();
    web_server_expect(fd, "\"bytes_sent\":3");
    cr_assert_lt(clock_us() - start, 2 * US_PER_SECOND); /* that an early answer would wait */
}
