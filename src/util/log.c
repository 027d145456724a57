/* log.c - lines on standard error, as text or as JSON, without blocking the caller. */

#include "util/log.h"

#include "util/buffer.h"
#include "util/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES (512 * 1024)
#define LINE_USUAL 500 /* allocated at once */
#define LINE_BYTES 8192
#define GATHER_US  (20 * US_PER_MS) /* lines of the same moment are written together */
#define NS_PER_US  1000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t thread;
    struct buffer waiting; /* what the thread has not taken yet */
    uint64_t dropped;
    _Atomic(enum log_level) level; /* read without the lock */
    atomic_bool json;
    bool running, stopping, urgent;
} the_log = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .waiting = { .max = RING_BYTES },
    .level = LOG_INFO,
};

/* -- where lines go ------------------------------------------------------ */

static void
write_out(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(STDERR_FILENO, bytes, n);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* and no place to report it */
        bytes += wrote;
        n -= (size_t)wrote;
    }
}

/* Under the lock: keep the line for the thread, or count it as dropped. */
static void
keep_line(const struct buffer *line, enum log_level level)
{
    struct buffer *w = &the_log.waiting;

    if (the_log.waiting.len + line->len > RING_BYTES) {
        the_log.dropped++;
        return;
    }
    if (w->len == 0 || level <= LOG_WARNING) {
        the_log.urgent = level <= LOG_WARNING;
        pthread_cond_signal(&the_log.more);
    }
    buffer_add(w, line->data, line->len);
}

void
log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    struct buffer line;

    if (level > the_log.level)
        return;
    buffer_init(&line, LINE_BYTES);
    buffer_expect(&line, LINE_USUAL);
    log_format(&line, level, event, fields, count, the_log.json);
    if (!buffer_ok(&line)) {
        buffer_free(&line);
        log_format(&line, level, "a log line was too long to write", NULL, 0, the_log.json);
    }
    pthread_mutex_lock(&the_log.lock);
    if (the_log.running)
        keep_line(&line, level);
    else
        write_out(line.data, line.len);
    pthread_mutex_unlock(&the_log.lock);
    buffer_free(&line);
}

void
log_line(enum log_level level, const char *format, ...)
{
    char text[1024];
    va_list ap;

    if (level > the_log.level)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    log_event(level, text, NULL, 0);
}

/* -- the thread ---------------------------------------------------------- */

/* Under the lock.  Wait a moment for more lines, unless one is urgent. */
static void
await_lines(void)
{
    struct timespec until;

    while (the_log.waiting.len == 0 && !the_log.stopping)
        pthread_cond_wait(&the_log.more, &the_log.lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GATHER_US * NS_PER_US;
    until.tv_sec += until.tv_nsec / (US_PER_SECOND * NS_PER_US);
    until.tv_nsec %= US_PER_SECOND * NS_PER_US;
    while (!the_log.urgent && !the_log.stopping)
        if (pthread_cond_timedwait(&the_log.more, &the_log.lock, &until) == ETIMEDOUT)
            return;
}

/* Written by the thread itself: in a buffer that is full again it would be dropped, too. */
static void
report_dropped(uint64_t count)
{
    struct buffer line;
    char text[80];

    if (count == 0 || the_log.level < LOG_WARNING)
        return;
    snprintf(text, sizeof text, "%llu log lines were dropped: standard error is too slow",
             (unsigned long long)count);
    buffer_init(&line, LINE_BYTES);
    log_format(&line, LOG_WARNING, text, NULL, 0, the_log.json);
    write_out(line.data, line.len);
    buffer_free(&line);
}

static void *
run(void *arg)
{
    bool last;

    (void)arg;
    do {
        struct buffer now;
        uint64_t dropped;

        pthread_mutex_lock(&the_log.lock);
        await_lines();
        last = the_log.stopping;
        now = the_log.waiting;
        buffer_init(&the_log.waiting, RING_BYTES);
        dropped = the_log.dropped;
        the_log.dropped = 0;
        the_log.urgent = false;
        pthread_mutex_unlock(&the_log.lock);

        write_out(now.data, now.len);
        buffer_free(&now);
        report_dropped(dropped);
    } while (!last);
    return NULL;
}

int
log_start(void)
{
    the_log.running = true;
    the_log.stopping = false;
    if (pthread_create(&the_log.thread, NULL, run, NULL) == 0)
        return 0;
    the_log.running = false;
    return -1;
}

void
log_stop(void)
{
    if (!the_log.running)
        return;
    pthread_mutex_lock(&the_log.lock);
    the_log.stopping = true;
    pthread_cond_signal(&the_log.more);
    pthread_mutex_unlock(&the_log.lock);
    pthread_join(the_log.thread, NULL);
    the_log.running = false;
    write_out(the_log.waiting.data, the_log.waiting.len);
    buffer_free(&the_log.waiting);
}

void
log_setup(enum log_level level, bool json)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.level = level;
    the_log.json = json;
    pthread_mutex_unlock(&the_log.lock);
}
