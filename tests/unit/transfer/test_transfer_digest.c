/* test_transfer_digest.c - more than one exchange within a hop: digest challenges and Expect. */

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct test_origin o;
static struct curlew *c;
static struct failure err;
static char authorization[1024], body[64];
static bool accepts; /* what a digest answer says */

static void
digest(struct seen_request *x)
{
    const char *given = strstr(x->head, "\r\nAuthorization: Digest ");

    snprintf(authorization, sizeof authorization, "%.*s",
             given != NULL ? (int)strcspn(given + 2, "\r") : 0, given != NULL ? given + 2 : "");
    snprintf(body, sizeof body, "%s", x->body);
    if (given != NULL && accepts)
        origin_reply(x, 200, "X-Final: 1\r\n", "welcome");
    else
        origin_reply(x, 401,
                     "WWW-Authenticate: Digest realm=\"r\", nonce=\"abc\", qop=\"auth\", "
                     "algorithm=MD5\r\nSet-Cookie: challenge=1\r\nX-Challenge: 1\r\n",
                     "a challenge, longer than the answer");
}

static void
setup(void)
{
    origin_start(&o, "127.0.0.1", digest);
    c = runner_default_engine();
    accepts = true;
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(transfer_digest, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
with_digest(void)
{
    struct curlew_fetch *f = runner_fetch("%s/secret", o.url);

    f->request.auth = AUTH_DIGEST;
    f->request.auth_pair = (struct credentials){ strdup("user"), strdup("pass") };
    f->request.set |= SET_AUTH;
    return f;
}

Test(transfer_digest, a_digest_challenge_is_answered)
{
    struct curlew_fetch *f = runner_do(c, with_digest());
    size_t n;

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_eq(curlew_fetch_status(f), 200);
    cr_assert_not_null(strstr(authorization, "username=\"user\""), "%s", authorization);
    cr_assert_not_null(strstr(authorization, "uri=\"/secret\""));
    cr_assert_null(strstr(authorization, "pass"));
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "welcome", 7), 0);
    cr_assert_eq(n, 7, "nothing of the challenge is left");
    cr_assert_eq(f->response.body_bytes, 7);
    cr_assert_null(curlew_fetch_header(f, "x-challenge"));
    cr_assert_eq(f->response.history_count, 0);
    curlew_fetch_free(f);
}

Test(transfer_digest, a_body_goes_out_with_the_answer)
{
    struct curlew_fetch *f = with_digest();

    cr_assert_eq(curlew_fetch_set_body(f, "payload", 7, NULL), 0);
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_str_eq(body, "payload");
    curlew_fetch_free(f);
}

Test(transfer_digest, a_cookie_of_the_challenge_counts)
{
    struct curlew_fetch *f = runner_do(c, with_digest());

    cr_assert_eq(f->response.cookies.count, 1);
    cr_assert_str_eq(f->response.cookies.items[0].name, "challenge");
    curlew_fetch_free(f);
}

Test(transfer_digest, wrong_credentials_get_the_401)
{
    struct curlew_fetch *f;

    accepts = false;
    f = runner_do(c, with_digest());
    cr_assert_str_eq(runner_code(f), "ok");
    cr_assert_eq(curlew_fetch_status(f), 401);
    cr_assert_eq(origin_requests(&o), 2);
    curlew_fetch_free(f);
}

Test(transfer_digest, what_one_fetch_knows_of_a_digest_the_next_one_does_not)
{
    struct curlew_fetch *f;

    curlew_fetch_free(runner_do(c, with_digest()));
    f = runner_do(c, runner_fetch("%s/", o.url));
    cr_assert_eq(curlew_fetch_status(f), 401);
    cr_assert_str_eq(authorization, "");
    curlew_fetch_free(f);
}

Test(transfer_digest, the_limit_of_the_body_is_for_each_of_the_two_answers)
{
    struct curlew_fetch *f = with_digest();

    f->request.max_body_bytes = 35; /* of the challenge; 42 are both together */
    f->request.set |= SET_MAX_BODY_BYTES;
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    curlew_fetch_free(f);
}

/* -- Expect: 100-continue ------------------------------------------------ */

static int expect_fd;
static const char *interim; /* said once the head has come */
static char received[4096];

/* Reads a head, says the interim answer, reads what follows until `payload` has come, answers. */
static void *
expect_once(void *arg)
{
    int fd = accept(expect_fd, NULL, NULL);
    size_t n = 0;

    (void)arg;
    for (; strstr(received, "payload") == NULL; n = strlen(received)) {
        if (recv(fd, received + n, 1, 0) != 1)
            break;
        if (n > 3 && strcmp(received + n - 3, "\r\n\r\n") == 0 && interim != NULL) {
            send(fd, interim, strlen(interim), MSG_NOSIGNAL);
            interim = NULL;
        }
    }
    send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 40, MSG_NOSIGNAL);
    return NULL;
}

static struct curlew_fetch *
do_expect(const char *says)
{
    struct curlew_fetch *f;
    pthread_t thread;
    int port;

    interim = says;
    expect_fd = origin_listen("127.0.0.1", &port);
    cr_assert_eq(pthread_create(&thread, NULL, expect_once, NULL), 0);
    f = runner_fetch("http://127.0.0.1:%d/", port);
    cr_assert_eq(request_add_header(&f->request, "Expect", "100-continue", &err), 0);
    cr_assert_eq(curlew_fetch_set_body(f, "payload", 7, NULL), 0);
    runner_do(c, f);
    pthread_join(thread, NULL);
    return f;
}

Test(transfer_digest, an_origin_that_says_continue_gets_the_body)
{
    struct curlew_fetch *f = do_expect("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n");

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_eq(curlew_fetch_status(f), 200);
    cr_assert_null(curlew_fetch_header(f, "x-interim"));
    cr_assert_not_null(strstr(received, "\r\nExpect: 100-continue\r\n"));
    curlew_fetch_free(f);
}

Test(transfer_digest, an_origin_that_says_nothing_gets_the_body_a_little_later)
{
    struct curlew_fetch *f = do_expect(NULL);

    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    cr_assert_geq(curlew_fetch_seconds(f), 0.9);
    curlew_fetch_free(f);
}
