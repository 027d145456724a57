/*
 * baseline.c - what a fetch costs where nothing stands between libcurl and the caller.
 *
 * One thread, one multi handle, epoll and curl_multi_socket_action().  Each
 * easy handle is set up once and goes straight back in when its transfer has
 * ended; bodies are counted and dropped.  The daemon's CPU a fetch is
 * compared with this loop's, at the same origin in the same run.
 *
 *     baseline [OPTION]... URL
 *
 *     -n N     fetches, after -u N of each handle that only open the connections (10; with -r 1)
 *     -c N     of them in flight
 *     -r N     a second, at most -c of them in flight: see below
 *     -d TEXT  a POST of this body            -H TEXT  a further header
 *     -k FILE  trust this authority           -i NAME  impersonate this browser, if libcurl can
 *
 * prints one line of JSON.
 *
 * With -r it is a load generator with an open loop, as wrk2 is: fetch number i is due at i / rate,
 * whatever became of those before it, and its latency counts from then.  So what waited for a
 * stalled server counts as slow, and not as not asked (coordinated omission).
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BATCH         128
#define US_PER_SECOND 1000000
#define MAX_IN_FLIGHT 10000
#define WARM_UP       10

/* What the command line asks for. */
struct options {
    const char *url, *body, *ca_file, *target;
    struct curl_slist *headers;
    long fetches, in_flight, rate;
    long warm_up; /* fetches of each handle; -1: as many as suit */
};

struct slot {
    CURL *easy;
    int64_t due_us;
};

struct loop {
    const struct options *options;
    CURLM *multi;
    int epoll_fd;
    int64_t deadline_us; /* libcurl's; -1: none */
    long rate;           /* 0: as fast as the origin answers */
    long to_start;       /* fetches */
    long started, done, failed;
    int64_t bytes;
    int64_t start_us;
    struct slot **idle; /* not in flight; used only with a rate */
    long idle_count;
    int64_t *latency_us; /* by order of their end; used only with a rate */
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

/* Stands in for Python's functions, which curl_cffi's libcurl needs and never calls here. */
void baseline_absent(void) __attribute__((noreturn));

void
baseline_absent(void)
{
    die("curl_cffi's extension called Python");
    abort();
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
    l->deadline_us = timeout_ms < 0 ? -1 : now_us() + (int64_t)timeout_ms * 1000;
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

static int64_t
due_us(const struct loop *l, long number)
{
    return l->start_us + number * US_PER_SECOND / l->rate;
}

static void
start(struct loop *l, struct slot *s)
{
    if (l->rate > 0)
        s->due_us = due_us(l, l->started);
    l->to_start--;
    l->started++;
    if (curl_multi_add_handle(l->multi, s->easy) != CURLM_OK)
        die("curl_multi_add_handle failed");
}

/* All that are due, as long as there are handles; the others are late when their turn comes. */
static void
start_due(struct loop *l)
{
    int64_t now = now_us();

    while (l->to_start > 0 && l->idle_count > 0 && due_us(l, l->started) <= now)
        start(l, l->idle[--l->idle_count]);
}

static void
finish(struct loop *l, struct slot *s)
{
    if (l->rate > 0) {
        l->latency_us[l->done] = now_us() - s->due_us;
        l->idle[l->idle_count++] = s;
    } else if (l->to_start > 0) {
        start(l, s);
    }
    l->done++;
}

static void
reap(struct loop *l)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        CURL *easy = m->easy_handle;
        struct slot *s = NULL;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
        l->failed += m->data.result != CURLE_OK || status != 200;
        curl_multi_remove_handle(l->multi, easy);
        finish(l, s);
    }
}

/* Until libcurl's deadline, or until the next fetch is due and there is a handle for it. */
static int64_t
wake_us(const struct loop *l)
{
    int64_t due = l->rate > 0 && l->to_start > 0 && l->idle_count > 0 ? due_us(l, l->started) : -1;

    if (due < 0 || (l->deadline_us >= 0 && l->deadline_us < due))
        return l->deadline_us;
    return due;
}

/* epoll_wait() knows milliseconds only, which is too coarse for thousands of fetches a second. */
static int
wait_events(const struct loop *l, struct epoll_event *events)
{
    int64_t wake = wake_us(l), left = wake - now_us();
    struct timespec t;

    if (wake < 0)
        return epoll_wait(l->epoll_fd, events, BATCH, -1);
    left = left < 0 ? 0 : left;
    t = (struct timespec){ .tv_sec = left / US_PER_SECOND, .tv_nsec = left % US_PER_SECOND * 1000 };
    return epoll_pwait2(l->epoll_fd, events, BATCH, &t, NULL);
}

static void
turn(struct loop *l)
{
    struct epoll_event batch[BATCH];
    int n = wait_events(l, batch), running;

    for (int i = 0; i < n; i++) {
        int what = (batch[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
                   (batch[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

        curl_multi_socket_action(l->multi, batch[i].data.fd, what, &running);
    }
    if (l->deadline_us >= 0 && l->deadline_us <= now_us()) {
        l->deadline_us = -1;
        curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    reap(l);
    if (l->rate > 0)
        start_due(l);
}

static void
run(struct loop *l, struct slot *slots, long fetches, long rate)
{
    long in_flight = l->options->in_flight;

    l->to_start = fetches;
    l->started = l->done = l->failed = 0;
    l->bytes = 0;
    l->rate = rate;
    l->start_us = now_us();
    l->idle_count = 0;
    for (long i = 0; i < in_flight; i++)
        if (rate > 0)
            l->idle[l->idle_count++] = &slots[i];
        else if (l->to_start > 0)
            start(l, &slots[i]);
    while (l->done < fetches)
        turn(l);
}

/* -- before and after ---------------------------------------------------- */

typedef CURLcode impersonate_fn(CURL *easy, const char *target, int default_headers);

static void
impersonate(CURL *easy, const char *target)
{
    impersonate_fn *function;

    /* ISO C has no conversion from a pointer to an object to one to a function. */
    *(void **)&function = dlsym(RTLD_DEFAULT, "curl_easy_impersonate");
    if (function == NULL || function(easy, target, 1) != CURLE_OK)
        die("this libcurl does not impersonate that");
}

static void
open_slot(struct loop *l, struct slot *s)
{
    const struct options *o = l->options;
    CURL *easy = s->easy = curl_easy_init();

    if (easy == NULL)
        die("out of memory");
    if (o->target != NULL)
        impersonate(easy, o->target);
    curl_easy_setopt(easy, CURLOPT_URL, o->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    /* As the daemon does: a burst to an HTTP/2 origin shares one connection. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    if (o->body != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, o->body);
    if (o->headers != NULL)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, o->headers);
    if (o->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
}

static void
open_loop(struct loop *l, const struct options *o)
{
    *l = (struct loop){ .options = o,
                        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                        .deadline_us = -1,
                        .idle = calloc((size_t)o->in_flight, sizeof l->idle[0]),
                        .latency_us = calloc((size_t)o->fetches, sizeof l->latency_us[0]) };
    if (l->epoll_fd < 0 || l->idle == NULL || l->latency_us == NULL ||
        (l->multi = curl_multi_init()) == NULL)
        die("cannot start");
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, o->in_flight);
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* `sorted` has `count` latencies. */
static double
percentile_ms(const int64_t *sorted, long count, double share)
{
    return (double)sorted[(long)((double)(count - 1) * share)] / 1000;
}

static void
report_latency(struct loop *l)
{
    int64_t *us = l->latency_us;

    qsort(us, (size_t)l->done, sizeof us[0], compare);
    printf(", \"p50_ms\": %.4f, \"p90_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f",
           percentile_ms(us, l->done, 0.5), percentile_ms(us, l->done, 0.9),
           percentile_ms(us, l->done, 0.99), percentile_ms(us, l->done, 1));
}

static void
report(struct loop *l, const struct usage *before, const struct usage *after)
{
    printf("{\"libcurl\": \"%s\", \"fetches\": %ld, \"failed\": %ld, \"bytes\": %" PRId64
           ", \"user_us\": %" PRId64 ", \"system_us\": %" PRId64 ", \"wall_us\": %" PRId64,
           curl_version(), l->done, l->failed, l->bytes, after->user_us - before->user_us,
           after->system_us - before->system_us, after->wall_us - before->wall_us);
    if (l->rate > 0)
        report_latency(l);
    printf("}\n");
}

static void
measure(struct loop *l, struct slot *slots)
{
    const struct options *o = l->options;
    long warm_up = o->warm_up >= 0 ? o->warm_up : o->rate > 0 ? 1 : WARM_UP;
    struct usage before, after;

    run(l, slots, warm_up * o->in_flight, 0);
    before = usage_now();
    run(l, slots, o->fetches, o->rate);
    after = usage_now();
    report(l, &before, &after);
}

static void
read_options(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "n:c:r:u:d:H:k:i:")) != -1)
        switch (option) {
        case 'n':
            o->fetches = strtol(optarg, NULL, 10);
            break;
        case 'c':
            o->in_flight = strtol(optarg, NULL, 10);
            break;
        case 'r':
            o->rate = strtol(optarg, NULL, 10);
            break;
        case 'u':
            o->warm_up = strtol(optarg, NULL, 10);
            break;
        case 'd':
            o->body = optarg;
            break;
        case 'H':
            o->headers = curl_slist_append(o->headers, optarg);
            break;
        case 'k':
            o->ca_file = optarg;
            break;
        case 'i':
            o->target = optarg;
            break;
        default:
            exit(EXIT_FAILURE);
        }
    o->url = argv[optind];
    if (o->url == NULL || o->fetches < 1 || o->rate < 0 || o->in_flight < 1 ||
        o->in_flight > MAX_IN_FLIGHT)
        die("usage: baseline -n FETCHES -c IN_FLIGHT [-r RATE] [-u WARM_UP] [-d BODY]"
            " [-H HEADER]... [-k CA] [-i BROWSER] URL");
}

int
main(int argc, char **argv)
{
    struct options o = { .fetches = 1, .in_flight = 1, .warm_up = -1 };
    struct slot *slots;
    struct loop l;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    read_options(&o, argc, argv);
    prctl(PR_SET_TIMERSLACK, 1UL); /* a fetch is sent when it is due, not 50 µs later */
    open_loop(&l, &o);
    if ((slots = calloc((size_t)o.in_flight, sizeof slots[0])) == NULL)
        die("out of memory");
    for (long i = 0; i < o.in_flight; i++)
        open_slot(&l, &slots[i]);
    measure(&l, slots);

    for (long i = 0; i < o.in_flight; i++)
        curl_easy_cleanup(slots[i].easy);
    curl_multi_cleanup(l.multi);
    curl_slist_free_all(o.headers);
    close(l.epoll_fd);
    free(l.latency_us);
    free(l.idle);
    free(slots);
    return l.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
