/*
 * baseline.c - what a fetch costs where nothing stands between libcurl and the caller.
 *
 * One thread, one multi handle, epoll and curl_multi_socket_action().  Each
 * easy handle is set up once and goes straight back in when its transfer has
 * ended; bodies are counted and dropped.  The daemon's CPU a fetch is
 * compared with this loop's, at the same origin in the same run.
 *
 *     baseline URL FETCHES IN_FLIGHT
 *
 * prints one line of JSON.  The first round only opens the connections and is not counted.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BATCH         128
#define US_PER_SECOND 1000000

struct loop {
    CURLM *multi;
    int epoll_fd;
    int64_t deadline_ms; /* libcurl's; -1: none */
    long to_start;       /* fetches */
    long done, failed;
    int64_t bytes;
};

struct usage {
    int64_t user_us, system_us, wall_us;
};

static void
die(const char *what)
{
    fprintf(stderr, "baseline: %s\n", what);
    exit(EXIT_FAILURE);
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

static struct usage
usage_now(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (struct usage){
        .user_us = (int64_t)r.ru_utime.tv_sec * US_PER_SECOND + r.ru_utime.tv_usec,
        .system_us = (int64_t)r.ru_stime.tv_sec * US_PER_SECOND + r.ru_stime.tv_usec,
        .wall_us = now_us(),
    };
}

/* -- what libcurl calls -------------------------------------------------- */

/* The socket's user pointer is NULL while epoll does not know the socket. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct loop *l = arg;
    struct epoll_event e = { .data.fd = fd };

    (void)easy;
    if (what == CURL_POLL_REMOVE)
        return epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL) == 0 ? 0 : -1;
    e.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
               (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    curl_multi_assign(l->multi, fd, l);
    return epoll_ctl(l->epoll_fd, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct loop *l = arg;

    (void)multi;
    l->deadline_ms = timeout_ms < 0 ? -1 : now_us() / 1000 + timeout_ms;
    return 0;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct loop *l = arg;

    (void)bytes;
    l->bytes += (int64_t)(size * count);
    return size * count;
}

/* -- the loop ------------------------------------------------------------ */

static void
start(struct loop *l, CURL *easy)
{
    l->to_start--;
    if (curl_multi_add_handle(l->multi, easy) != CURLM_OK)
        die("curl_multi_add_handle failed");
}

static void
reap(struct loop *l)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        CURL *easy = m->easy_handle;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        l->failed += m->data.result != CURLE_OK || status != 200;
        l->done++;
        curl_multi_remove_handle(l->multi, easy);
        if (l->to_start > 0)
            start(l, easy);
    }
}

static int
sleep_ms(const struct loop *l)
{
    int64_t left;

    if (l->deadline_ms < 0)
        return -1;
    left = l->deadline_ms - now_us() / 1000;
    return left < 0 ? 0 : (int)left;
}

static void
turn(struct loop *l)
{
    struct epoll_event batch[BATCH];
    int n = epoll_wait(l->epoll_fd, batch, BATCH, sleep_ms(l)), running;

    for (int i = 0; i < n; i++) {
        int what = (batch[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
                   (batch[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

        curl_multi_socket_action(l->multi, batch[i].data.fd, what, &running);
    }
    if (l->deadline_ms >= 0 && sleep_ms(l) == 0) {
        l->deadline_ms = -1;
        curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    reap(l);
}

static void
run(struct loop *l, CURL **easy, int in_flight, long fetches)
{
    l->to_start = fetches;
    l->done = l->failed = 0;
    l->bytes = 0;
    for (int i = 0; i < in_flight && l->to_start > 0; i++)
        start(l, easy[i]);
    while (l->done < fetches)
        turn(l);
}

static CURL *
open_easy(struct loop *l, const char *url)
{
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        die("out of memory");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    return easy;
}

static void
open_loop(struct loop *l, int in_flight)
{
    *l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .deadline_ms = -1 };
    if (l->epoll_fd < 0 || (l->multi = curl_multi_init()) == NULL)
        die("cannot start");
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
}

static void
report(const struct loop *l, const struct usage *before, const struct usage *after)
{
    printf("{\"fetches\": %ld, \"failed\": %ld, \"bytes\": %lld, \"user_us\": %lld, "
           "\"system_us\": %lld, \"wall_us\": %lld}\n",
           l->done, l->failed, (long long)l->bytes, (long long)(after->user_us - before->user_us),
           (long long)(after->system_us - before->system_us),
           (long long)(after->wall_us - before->wall_us));
}

int
main(int argc, char **argv)
{
    long fetches = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long in_flight = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    struct usage before, after;
    struct loop l;
    CURL **easy;

    if (fetches < 1 || in_flight < 1 || in_flight > 10000)
        die("usage: baseline URL FETCHES IN_FLIGHT");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    open_loop(&l, (int)in_flight);
    if ((easy = calloc((size_t)in_flight, sizeof easy[0])) == NULL)
        die("out of memory");
    for (long i = 0; i < in_flight; i++)
        easy[i] = open_easy(&l, argv[1]);

    run(&l, easy, (int)in_flight, 10 * in_flight);
    before = usage_now();
    run(&l, easy, (int)in_flight, fetches);
    after = usage_now();
    report(&l, &before, &after);

    for (long i = 0; i < in_flight; i++)
        curl_easy_cleanup(easy[i]);
    curl_multi_cleanup(l.multi);
    close(l.epoll_fd);
    free(easy);
    return l.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
