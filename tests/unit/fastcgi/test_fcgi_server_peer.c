/* test_fcgi_server_peer.c - web servers that read slowly, or send more or less than announced. */

#include "support/web_server.h"

TestSuite(gateway_peer, .init = setup, .fini = teardown, .timeout = 60);

/* -- peers that read slowly, or not at all ------------------------------- */

Test(gateway_peer, a_slow_reader_gets_a_large_answer_whole)
{
    struct buffer text;
    const char *body;
    int fd = dial(), size = 4096;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    ask_fetch(fd, "/large", true);
    usleep(300000);
    cr_assert(read_answer(fd, &text, 100));
    body = strstr(text.data, "\"body\":\"") + 8;
    for (int i = 0; i < LARGE; i++)
        cr_assert_eq(body[i], (char)('a' + i % 23), "byte %d", i);
    buffer_free(&text);
    ask(fd, "/healthz", "", true);
    answers_with(fd, "Status: 200 OK");
    close(fd);
}

/* It asks and asks, and reads no answer: it must not fill the memory. */
Test(gateway_peer, a_peer_that_asks_and_never_reads_is_cut_off)
{
    struct buffer b;
    int fd = dial();

    for (int round = 0; round < 1000; round++) {
        buffer_init(&b, 1 << 20);
        for (int i = 0; i < 1000; i++)
            record(&b, FCGI_GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
        send_all(fd, &b);
    }
    for (int i = 0; i < 1000 && counter_read(&server->stats.connections) > 0; i++)
        usleep(1000);
    cr_assert_eq(counter_read(&server->stats.connections), 0);
    close(fd);
    fd = dial();
    ask(fd, "/healthz", "", true);
    answers_with(fd, "Status: 200 OK");
    close(fd);
}

/* -- bodies -------------------------------------------------------------- */

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
    send_all(fd, &b);
    free(text);
}

Test(gateway_peer, a_body_of_the_limit_is_read_and_of_one_byte_more_refused)
{
    int fd = dial();

    post(fd, "1000", 1000);
    answers_with(fd, "Status: 400"); /* blanks are no request object */
    post(fd, "1001", 1001);
    answers_with(fd, "Status: 413");
    post(fd, "", 1001);
    answers_with(fd, "Status: 413");
    post(fd, "1000", 999);
    answers_with(fd, "CONTENT_LENGTH");
    post(fd, "-1", 10);
    answers_with(fd, "CONTENT_LENGTH");
    post(fd, "99999999999999999999", 10);
    answers_with(fd, "Status: 413");
    close(fd);
}

/* After the end of a body too large, more of it: the answer must not be given twice. */
Test(gateway_peer, a_second_end_of_a_body_too_large_ends_the_connection)
{
    struct buffer b, text;
    int fd = dial();

    buffer_init(&b, 1 << 20);
    begin(&b, 1, FCGI_RESPONDER, true);
    param(&b, 1, "REQUEST_METHOD", "POST");
    param(&b, 1, "PATH_INFO", "/v1/fetch");
    param(&b, 1, "CONTENT_LENGTH", "2000");
    end_of(&b, FCGI_PARAMS, 1);
    end_of(&b, FCGI_STDIN, 1);
    end_of(&b, FCGI_STDIN, 1);
    send_all(fd, &b);
    cr_assert(read_answer(fd, &text, 0));
    cr_assert_not_null(strstr(text.data, "Status: 413"));
    cr_assert_null(strstr(strstr(text.data, "Status: 413") + 1, "Status:"));
    buffer_free(&text);
    close(fd);
}
