/*
 * storm.c - everything at once, for ThreadSanitizer, under which Criterion aborts.
 *
 * Several threads submit fetches and chains of redirects that move between
 * the engine's threads, cancel some at any moment, and reload the settings;
 * the engine is freed while some are in flight.  Each fetch must come back
 * once.  tests/tsan/run builds and runs it.
 */

#include "engine/engine.h"
#include "support/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORIGINS     6
#define SUBMITTERS  3
#define ROUNDS      300
#define THREADS     4
#define OUTSTANDING 12 /* more than run at once, and now and then more than may wait */

static struct test_origin origins[ORIGINS];
static struct curlew *c;
static atomic_int submitted, refused, back, by_error[ERROR_COUNT];
static atomic_bool stop;

static void
check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "storm: %s\n", what);
    exit(1);
}

/* /N goes on to another origin as /N-1, and sets a cookie on the way; now and then it fails. */
static void
serve(struct seen_request *x)
{
    int left = atoi(x->target + 1);
    char fields[256];

    if (x->number % 11 == 0) {
        x->close = true;
        return;
    }
    if (x->number % 7 == 0) {
        origin_reply(x, 503, "Retry-After: 0\r\n", "busy");
        return;
    }
    snprintf(fields, sizeof fields, "Set-Cookie: c%d=%d\r\n%s%s/%d\r\n", left % 7, x->number,
             left > 0 ? "Location: " : "X-End: ",
             origins[(x->number + x->origin->port) % ORIGINS].url, left - 1);
    origin_reply(x, left > 0 ? 302 : 200, fields, "body");
}

static void
fill_settings(struct engine_config *s, int in_flight)
{
    engine_config_init(s);
    s->threads = THREADS;
    s->limits.in_flight = in_flight;
    s->limits.queue = 20;
    s->limits.buffered_bytes = 2000;
    s->sessions[0].shared_jar = true;
    s->sessions[0].idle_connections = 3;
    s->sessions[0].rate_limit = (struct rate_limit){ in_flight % 2 ? 2000 : 0, 20 };
    s->sessions[0].breaker = (struct circuit_breaker_config){ in_flight == 5 ? 0 : 2, 0.01 };
    s->sessions[0].defaults.retries.max = 2;
    s->sessions[0].defaults.retries.backoff_ms = 2;
    s->sessions[0].defaults.set |= SET_RETRIES | SET_BACKOFF;
    egress_config_add(&s->egress.allow, &s->egress.allow_count, "127.0.0.0/8");
}

/* -- fetches ------------------------------------------------------------- */

struct submission { /* the submitter's and the callback's: whoever comes second frees */
    atomic_int holders;
    atomic_bool done;
    pthread_mutex_t lock; /* held by whoever cancels, and by the callback as it ends */
    struct curlew_fetch *fetch;
};

static void
let_go(struct submission *t)
{
    if (atomic_fetch_sub(&t->holders, 1) != 1)
        return;
    curlew_fetch_free(t->fetch);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void
on_done(struct curlew_fetch *f, void *arg)
{
    struct submission *t = arg;

    back++;
    by_error[f->failure.error]++;
    pthread_mutex_lock(&t->lock);
    check(!t->done, "a fetch came back twice");
    t->done = true;
    pthread_mutex_unlock(&t->lock);
    let_go(t);
}

static struct submission *
submit_one(unsigned *seed)
{
    struct submission *t = calloc(1, sizeof *t);
    char url[128];

    snprintf(url, sizeof url, "%s/%d", origins[rand_r(seed) % ORIGINS].url, rand_r(seed) % 5);
    t->holders = 2;
    pthread_mutex_init(&t->lock, NULL);
    t->fetch = curlew_fetch_new(url);
    curlew_fetch_set_timeout(t->fetch, rand_r(seed) % 8 == 0 ? 2 : 20000);
    if (curlew_submit(c, t->fetch, on_done, t) == 0) {
        submitted++;
        return t;
    }
    refused++;
    t->holders = 1;
    let_go(t);
    return NULL;
}

static void
cancel_one(struct submission *t)
{
    pthread_mutex_lock(&t->lock);
    if (!t->done)
        curlew_cancel(t->fetch);
    pthread_mutex_unlock(&t->lock);
}

static void *
submit_many(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct submission *t[6];

        while (submitted - back > OUTSTANDING)
            usleep(200);
        for (int j = 0; j < 6; j++)
            t[j] = submit_one(&seed);
        usleep((useconds_t)(rand_r(&seed) % 1500));
        for (int j = 0; j < 6; j++) {
            if (t[j] == NULL)
                continue;
            if (rand_r(&seed) % 3 == 0)
                cancel_one(t[j]);
            let_go(t[j]);
        }
    }
    return NULL;
}

static void *
reload_often(void *arg)
{
    (void)arg;
    for (int i = 0; !stop; i++) {
        struct engine_config s;
        struct failure err = { 0 };

        fill_settings(&s, 2 + i % 10);
        check(engine_reload(c, &s, &err) == 0, err.detail);
        engine_config_destroy(&s);
        usleep(2000);
    }
    return NULL;
}

/* As the metrics route does. */
static void *
look_often(void *arg)
{
    (void)arg;
    while (!stop) {
        struct config_snapshot *p = engine_snapshot(c);

        check(counter_read(&config_snapshot_find_session(p, "default")->state->in_flight) >= 0,
              "in flight");
        check(counter_read(&c->stats.queued) >= 0, "queued");
        config_snapshot_unref(p);
        usleep(500);
    }
    return NULL;
}

/* Nothing is under way any more. */
static void
check_gauges(void)
{
    struct engine_stats *s = &c->stats;

    while (back < submitted)
        usleep(1000);
    check(counter_read(&s->in_flight) == 0, "nobody is in flight");
    check(counter_read(&s->queued) == 0, "nobody is queued");
    check(counter_read(&s->retries_waiting) == 0, "nobody waits for another try");
    check(counter_read(&s->retries) > 0 && counter_read(&s->retries_refused) > 0, "retries");
    check(counter_read(&s->breakers_opened) > 0, "breakers have opened");
    for (int i = CIRCUIT_CLOSED; i < CIRCUIT_STATES; i++)
        check(counter_read(&s->breakers[i]) >= 0, "no state has fewer than no breakers");
}

static void
leave_alone(struct submission *t)
{
    if (t != NULL)
        let_go(t);
}

int
main(void)
{
    pthread_t submitters[SUBMITTERS], others[2];
    struct engine_config s;
    struct failure err = { 0 };

    for (int i = 0; i < ORIGINS; i++)
        origin_start(&origins[i], i % 2 ? "127.0.0.1" : "127.0.0.2", serve);
    fill_settings(&s, 8);
    c = engine_new(&s, &err);
    engine_config_destroy(&s);
    check(c != NULL, err.detail);
    pthread_create(&others[0], NULL, reload_often, NULL);
    pthread_create(&others[1], NULL, look_often, NULL);
    for (uintptr_t i = 0; i < SUBMITTERS; i++)
        pthread_create(&submitters[i], NULL, submit_many, (void *)(i + 1));
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(submitters[i], NULL);
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
    check_gauges();
    for (unsigned i = 0, seed = 1; i < OUTSTANDING; i++)
        leave_alone(submit_one(&seed));
    curlew_free(c); /* some are still in flight */
    check(back == submitted, "each fetch comes back");
    check(by_error[ERROR_NONE] > 0 && by_error[ERROR_CANCELLED] > 0, "some of each");
    printf("storm: %d fetches came back, %d were refused;", back, refused);
    for (int e = 0; e < ERROR_COUNT; e++)
        if (by_error[e] > 0)
            printf(" %s %d", error_code((enum error)e), by_error[e]);
    puts("");
    return 0;
}
