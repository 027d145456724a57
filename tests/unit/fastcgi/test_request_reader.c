/* test_request_reader.c - events of a request: the body, and its limits. */

#include "fastcgi/request_reader.h"

#include "support/fcgi_records.h"
#include "support/web_server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct web_server w;

static void
setup(void)
{
    web_server_start(&w);
}

static void
teardown(void)
{
    web_server_stop(&w);
}

TestSuite(request_reader, .init = setup, .fini = teardown, .timeout = 60);

static void
post(int fd, const char *length, size_t sent)
{
    struct buffer b;
    char *text = calloc(1, sent + 1);

    memset(text, ' ', sent);
    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_LENGTH", length);
    end_of(&b, FCGI_PARAMS, 1);
    body(&b, 1, text);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
    free(text);
}

Test(request_reader, a_body_of_the_limit_is_read_and_of_one_byte_more_refused)
{
    int fd = web_server_dial(&w);

    post(fd, "1000", 1000);
    web_server_expect(fd, "Status: 400"); /* blanks are no request object */
    post(fd, "1001", 1001);
    web_server_expect(fd, "Status: 413");
    post(fd, "", 1001);
    web_server_expect(fd, "Status: 413");
    post(fd, "1000", 999);
    web_server_expect(fd, "CONTENT_LENGTH");
    post(fd, "-2", 10);
    web_server_expect(fd, "CONTENT_LENGTH");
    post(fd, "-1", 10); /* unknown: ten blanks are no request object */
    web_server_expect(fd, "line 1");
    post(fd, "99999999999999999999", 10);
    web_server_expect(fd, "Status: 413");
    close(fd);
}

/* After the end of a body too large, more of it: the answer must not be given twice. */
Test(request_reader, a_second_end_of_a_body_too_large_ends_the_connection)
{
    struct buffer b, text;
    int fd = web_server_dial(&w);

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_LENGTH", "2000");
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
    cr_assert(web_server_read(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, "Status: 413"));
    cr_assert_null(strstr(strstr(text.data, "Status: 413") + 1, "Status:"));
    buffer_free(&text);
    close(fd);
}

/* All bodies together may have 5,000 bytes: six that have not ended are too many. */
Test(request_reader, the_bodies_of_all_requests_together_have_a_limit)
{
    static char blanks[901];
    int fd[6];

    memset(blanks, ' ', 900);
    for (int i = 0; i < 6; i++) {
        struct buffer b;

        fd[i] = web_server_dial(&w);
        buffer_init(&b, 1 << 20);
        begin(&b, 1, FCGI_RESPONDER, true);
        param(&b, 1, "REQUEST_METHOD", "POST");
        param(&b, 1, "PATH_INFO", "/v1/fetch");
        end_of(&b, FCGI_PARAMS, 1);
        body(&b, 1, blanks);
        if (i == 5)
            end_of(&b, FCGI_STDIN, 1);
        web_server_send(fd[i], &b);
        while (i < 5 && counter_read(&w.server->stats.bodies) < (i + 1) * 900)
            usleep(1000);
    }
    web_server_expect(fd[5], "the bodies of all requests together are over 5000 bytes");
    for (int i = 0; i < 6; i++)
        close(fd[i]);
}
