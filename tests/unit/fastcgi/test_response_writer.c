/* test_response_writer.c - a response is sent as fast as the web server reads it. */

#include "fastcgi/response_writer.h"

#include "support/fcgi_records.h"
#include "support/web_server.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
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

TestSuite(response_writer, .init = setup, .fini = teardown, .timeout = 60);

Test(response_writer, a_slow_reader_gets_a_large_answer_whole)
{
    struct buffer text;
    const char *body;
    int fd = web_server_dial(&w), size = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    web_server_ask_fetch(&w, fd, "/large", true);
    usleep(300000);
    cr_assert(web_server_read(fd, &text, 100));
    body = strstr(text.data, "\"body\":\"") + 8;
    for (int i = 0; i < WEB_SERVER_LARGE; i++)
        cr_assert_eq(body[i], (char)('a' + i % 23), "byte %d", i);
    buffer_free(&text);
    web_server_ask(fd, "/healthz", "", true);
    web_server_expect(fd, "Status: 200 OK");
    close(fd);
}

Test(response_writer, the_response_to_head_has_the_length_and_no_body)
{
    struct buffer b, text;
    int fd = web_server_dial(&w);

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "HEAD");
    param(&b, 1, "PATH_INFO", "/healthz");
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    web_server_send(fd, &b);
    cr_assert(web_server_read(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, "Content-Length: 15\r\n"), "%s", text.data);
    cr_assert_str_eq(text.data + text.len - 4, "\r\n\r\n");
    buffer_free(&text);
    close(fd);
}
