/* log.c - lines on standard error, as text or as JSON, without blocking the caller. */

#include "util/log.h"

#include "util/buffer.h"
#include "util/clock.h"
#include "util/utf8.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
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
#define CUT_FIELDS 24  /* with texts of at most … */
#define CUT_BYTES  128 /* … so many bytes: of 7 texts all fit, were each byte escaped as \u0001 */
#define GATHER_US  (20 * US_PER_MS)    /* lines of the same moment are written together */
#define STOP_US    (2 * US_PER_SECOND) /* what is left may take so long to write */
#define DIRECT_MS  1000                /* a line without the thread may take so long */
#define NS_PER_US  1000

enum mode {
    LOG_DIRECT, /* no thread: before log_start(), after log_stop() */
    LOG_THREADED,
    LOG_ABANDONED /* the thread hangs in write() for good: every line is dropped */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more, ended; /* on the monotonic clock */
    pthread_t thread;
    struct buffer waiting; /* what the thread has not taken yet */
    _Atomic(uint64_t) dropped;
    _Atomic(enum log_level) level; /* read without the lock */
    atomic_bool json;
    enum mode mode;
    bool stopping, has_ended, urgent;

    /* Of whoever writes: the thread, or without it the holder of the lock. */
    uint64_t told;   /* how many of the dropped lines a line has told of */
    int write_errno; /* why lines were dropped; 0: they came too fast */
    bool in_line;    /* a write failed within a line */
} the_log = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .waiting = { .max = RING_BYTES },
    .level = LOG_INFO,
};

uint64_t
log_dropped_lines(void)
{
    return the_log.dropped;
}

/* -- where lines go ------------------------------------------------------ */

/* At most PIPE_BUF bytes at a time with a time limit: so many a ready pipe takes at once. */
static ssize_t
write_some(const char *bytes, size_t n, int timeout_ms)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (timeout_ms >= 0 && n > PIPE_BUF)
        n = PIPE_BUF;
    if (poll(&p, 1, timeout_ms) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, bytes, n);
}

/* How many bytes could be written.  A timeout of -1 waits as long as it takes. */
static size_t
write_bytes(const char *bytes, size_t n, int timeout_ms)
{
    size_t done = 0;

    while (done < n) {
        ssize_t wrote = write_some(bytes + done, n - done, timeout_ms);

        if (wrote < 0 && (errno == EINTR || (errno == EAGAIN && timeout_ms < 0)))
            continue;
        if (wrote <= 0) {
            the_log.write_errno = wrote < 0 && errno != EAGAIN ? errno : 0;
            break;
        }
        done += (size_t)wrote;
    }
    return done;
}

/* Likewise.  A line that a failed write has left unfinished is ended first. */
static size_t
write_text(const char *bytes, size_t n, int timeout_ms)
{
    size_t done;

    if (the_log.in_line && write_bytes("\n", 1, timeout_ms) != 1)
        return 0;
    done = write_bytes(bytes, n, timeout_ms);
    the_log.in_line = done > 0 && bytes[done - 1] != '\n';
    return done;
}

static uint64_t
count_lines(const char *bytes, size_t n)
{
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += bytes[i] == '\n';
    return count;
}

/* Lines that cannot be written are counted. */
static void
write_lines(const char *bytes, size_t n, int timeout_ms)
{
    size_t done = write_text(bytes, n, timeout_ms);

    the_log.dropped += count_lines(bytes + done, n - done);
}

/* Not through the buffer: if it is full again, this line would be dropped, too. */
static void
report_dropped(int timeout_ms)
{
    const int cause = the_log.write_errno;
    const uint64_t dropped = the_log.dropped;
    struct buffer line;
    char text[160];

    if (dropped == the_log.told || the_log.level < LOG_WARNING)
        return;
    snprintf(text, sizeof text, "%llu log lines were dropped: standard error %s%s",
             (unsigned long long)(dropped - the_log.told), cause != 0 ? "failed: " : "is too slow",
             cause != 0 ? strerror(cause) : "");
    buffer_init(&line, LINE_BYTES);
    log_format(&line, LOG_WARNING, text, NULL, 0, the_log.json);
    if (buffer_ok(&line) && write_text(line.data, line.len, timeout_ms) == line.len) {
        the_log.told = dropped;
        the_log.write_errno = 0;
    }
    buffer_free(&line);
}

/* Under the lock: keep the line for the thread, or count it as dropped. */
static void
keep_line(const struct buffer *line, enum log_level level)
{
    struct buffer *w = &the_log.waiting;

    if (w->len + line->len > RING_BYTES) {
        the_log.dropped++;
        return;
    }
    if (w->len == 0 || level <= LOG_WARNING) {
        the_log.urgent = level <= LOG_WARNING;
        pthread_cond_signal(&the_log.more);
    }
    buffer_add(w, line->data, line->len);
    if (buffer_ok(w))
        return;
    the_log.dropped++; /* no memory */
    if (w->len == 0)
        buffer_free(w);
}

/* Under the lock, without the thread. */
static void
write_directly(const struct buffer *lines)
{
    write_lines(lines->data, lines->len, DIRECT_MS);
    report_dropped(DIRECT_MS);
}

bool
log_takes(enum log_level level)
{
    return level <= the_log.level;
}

/* What a caller says at length must not hide from the log what he does. */
static void
format_cut(struct buffer *line, enum log_level level, const char *event,
           const struct log_field *fields, size_t count)
{
    char texts[CUT_FIELDS][CUT_BYTES + sizeof "..."];
    struct log_field cut[CUT_FIELDS];

    if (count > CUT_FIELDS)
        count = CUT_FIELDS;
    for (size_t i = 0; i < count; i++) {
        cut[i] = fields[i];
        if (cut[i].kind != LOG_TEXT || cut[i].text == NULL || strlen(cut[i].text) <= CUT_BYTES)
            continue;
        snprintf(texts[i], sizeof texts[i], "%.*s...", (int)utf8_cut(cut[i].text, CUT_BYTES),
                 cut[i].text);
        cut[i].text = texts[i];
    }
    log_format(line, level, event, cut, count, the_log.json);
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
        format_cut(&line, level, event, fields, count);
    }
    if (!buffer_ok(&line)) {
        buffer_free(&line);
        log_format(&line, level, "a log line was too long to write", NULL, 0, the_log.json);
    }
    pthread_mutex_lock(&the_log.lock);
    if (the_log.mode == LOG_ABANDONED || !buffer_ok(&line))
        the_log.dropped++;
    else if (the_log.mode == LOG_THREADED)
        keep_line(&line, level);
    else
        write_directly(&line);
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

static struct timespec
in_us(int64_t us)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += us / US_PER_SECOND;
    t.tv_nsec += us % US_PER_SECOND * NS_PER_US;
    t.tv_sec += t.tv_nsec / (US_PER_SECOND * NS_PER_US);
    t.tv_nsec %= US_PER_SECOND * NS_PER_US;
    return t;
}

/* Under the lock.  Wait a moment for more lines, unless one is urgent. */
static void
await_lines(void)
{
    struct timespec until;

    while (the_log.waiting.len == 0 && !the_log.stopping)
        pthread_cond_wait(&the_log.more, &the_log.lock);
    until = in_us(GATHER_US);
    while (!the_log.urgent && !the_log.stopping)
        if (pthread_cond_timedwait(&the_log.more, &the_log.lock, &until) == ETIMEDOUT)
            return;
}

/* What is written meanwhile is not under the lock: it may take for ever. */
static void *
run(void *arg)
{
    bool last;

    (void)arg;
    pthread_mutex_lock(&the_log.lock);
    do {
        struct buffer now;

        await_lines();
        last = the_log.stopping;
        now = the_log.waiting;
        buffer_init(&the_log.waiting, RING_BYTES);
        the_log.urgent = false;
        pthread_mutex_unlock(&the_log.lock);

        write_lines(now.data, now.len, -1);
        buffer_free(&now);
        report_dropped(-1);
        pthread_mutex_lock(&the_log.lock);
    } while (!last);
    the_log.has_ended = true;
    pthread_cond_signal(&the_log.ended);
    pthread_mutex_unlock(&the_log.lock);
    return NULL;
}

/* -- start and stop ------------------------------------------------------ */

/* The real-time clock may jump: a wait on it would last as long as the jump. */
static void
init_conditions(void)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&the_log.more, &monotonic);
    pthread_cond_init(&the_log.ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int
log_start(void)
{
    if (the_log.mode != LOG_DIRECT)
        return -1;
    init_conditions();
    the_log.stopping = the_log.has_ended = false;
    the_log.mode = LOG_THREADED;
    if (pthread_create(&the_log.thread, NULL, run, NULL) == 0)
        return 0;
    the_log.mode = LOG_DIRECT;
    return -1;
}

/* The lines that came after the thread's last look. */
static void
finish(void)
{
    pthread_join(the_log.thread, NULL);
    pthread_cond_destroy(&the_log.more);
    pthread_cond_destroy(&the_log.ended);
    pthread_mutex_lock(&the_log.lock);
    the_log.mode = LOG_DIRECT;
    if (the_log.waiting.len > 0)
        write_directly(&the_log.waiting);
    buffer_free(&the_log.waiting);
    pthread_mutex_unlock(&the_log.lock);
}

void
log_stop(void)
{
    const struct timespec until = in_us(STOP_US);
    bool has_ended;

    if (the_log.mode != LOG_THREADED)
        return;
    pthread_mutex_lock(&the_log.lock);
    the_log.stopping = true;
    pthread_cond_signal(&the_log.more);
    while (!the_log.has_ended)
        if (pthread_cond_timedwait(&the_log.ended, &the_log.lock, &until) == ETIMEDOUT)
            break;
    has_ended = the_log.has_ended;
    if (!has_ended)
        the_log.mode = LOG_ABANDONED;
    pthread_mutex_unlock(&the_log.lock);
    if (has_ended)
        finish();
    else
        pthread_detach(the_log.thread);
}

void
log_setup(enum log_level level, bool json)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.level = level;
    the_log.json = json;
    pthread_mutex_unlock(&the_log.lock);
}
