/* log.c - lines on standard error, as text or as JSON, that never hold up their writer. */

#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES (512 * 1024)
#define LINE_BYTES 8192
#define GATHER_US  (20 * US_PER_MS) /* lines that come together are written together */
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

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* -- numbers: printf() would be most of what a line costs ----------------- */

static void
add_padded(struct buffer *b, uint64_t n, int digits)
{
    char text[20];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0 || sizeof text - at < (size_t)digits);
    buffer_add(b, text + at, sizeof text - at);
}

static void
add_number(struct buffer *b, int64_t n)
{
    if (n < 0)
        buffer_addc(b, '-');
    add_padded(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 1);
}

/* Six decimals, as many as a microsecond has. */
static void
add_seconds(struct buffer *b, double seconds)
{
    uint64_t us = seconds > 0 ? (uint64_t)(seconds * US_PER_SECOND + 0.5) : 0;

    add_padded(b, us / US_PER_SECOND, 1);
    buffer_addc(b, '.');
    add_padded(b, us % US_PER_SECOND, 6);
}

/* -- one line ------------------------------------------------------------ */

/* A date costs more than the rest of a line, so each thread keeps that of the second at hand. */
static void
add_time(struct buffer *b)
{
    static _Thread_local time_t second;
    static _Thread_local char text[32];
    struct timespec now;
    struct tm tm;
    long ms;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second) {
        second = now.tv_sec;
        gmtime_r(&second, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
    }
    ms = now.tv_nsec / (NS_PER_US * US_PER_MS);
    buffer_adds(b, text);
    add_padded(b, (uint64_t)ms, 3);
    buffer_addc(b, 'Z');
}

/* The line breaks beyond ASCII (NEL, LS, PS), as many readers of logs take them; their length, or 0. */
static size_t
is_line_break(const char *c)
{
    if (strncmp(c, "\xc2\x85", 2) == 0)
        return 2;
    return strncmp(c, "\xe2\x80\xa8", 3) == 0 || strncmp(c, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

/* Quoted, as JSON asks; what is not UTF-8 is shown as ISO-8859-1, so nothing in a line can break it. */
static void
add_quoted(struct buffer *b, const char *text)
{
    bool utf8 = utf8_valid(text, strlen(text));
    size_t skip;

    buffer_addc(b, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buffer_printf(b, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f || (*c >= 0x80 && !utf8))
            buffer_printf(b, "\\u%04x", *c);
        else if (utf8 && (skip = is_line_break((const char *)c)) > 0) {
            buffer_adds(b, skip == 2 ? "\\u0085" : c[2] == 0xa8 ? "\\u2028" : "\\u2029");
            c += skip - 1;
        } else
            buffer_addc(b, (char)*c);
    }
    buffer_addc(b, '"');
}

static bool
is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '=' || *text == '\\')
            return false;
    return true;
}

static void
add_value(struct buffer *b, const struct log_field *f, bool json)
{
    if (f->kind == LOG_NUMBER)
        add_number(b, f->number);
    else if (f->kind == LOG_SECONDS)
        add_seconds(b, f->seconds);
    else if (!json && is_plain(f->text))
        buffer_adds(b, f->text);
    else
        add_quoted(b, f->text);
}

static void
add_field(struct buffer *b, const struct log_field *f, bool json)
{
    if (f->kind == LOG_TEXT && f->text == NULL)
        return;
    buffer_adds(b, json ? ",\"" : " ");
    buffer_adds(b, f->name);
    buffer_adds(b, json ? "\":" : "=");
    add_value(b, f, json);
}

/* A sentence for people may quote what a stranger sent: no control character gets through. */
static void
add_event(struct buffer *b, const char *event)
{
    for (; *event != '\0'; event++)
        buffer_addc(b, (unsigned char)*event < 0x20 || *event == 0x7f ? '?' : *event);
}

static void
write_line(struct buffer *b, enum log_level level, const char *event,
           const struct log_field *fields, size_t count, bool json)
{
    buffer_adds(b, json ? "{\"time\":\"" : "");
    add_time(b);
    if (json) {
        buffer_printf(b, "\",\"level\":\"%s\",\"event\":", level_names[level]);
        add_quoted(b, event);
    } else {
        buffer_printf(b, " %s ", level_names[level]);
        add_event(b, event);
    }
    for (size_t i = 0; i < count; i++)
        add_field(b, &fields[i], json);
    buffer_adds(b, json ? "}\n" : "\n");
}

/* -- where lines go ------------------------------------------------------ */

static void
write_out(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(STDERR_FILENO, bytes, n);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* there is nowhere left to complain */
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
    write_line(&line, level, event, fields, count, the_log.json);
    if (!buffer_ok(&line)) {
        buffer_free(&line);
        write_line(&line, level, "a log line was too long to write", NULL, 0, the_log.json);
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

/* Under the lock.  Lines are let gather for a moment, unless one is urgent. */
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

/* Written by the thread at once: in a ring that is full again the count would be dropped, too. */
static void
tell_dropped(uint64_t count)
{
    struct buffer line;
    char text[80];

    if (count == 0 || the_log.level < LOG_WARNING)
        return;
    snprintf(text, sizeof text, "%llu log lines were dropped: standard error is too slow",
             (unsigned long long)count);
    buffer_init(&line, LINE_BYTES);
    write_line(&line, LOG_WARNING, text, NULL, 0, the_log.json);
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
        tell_dropped(dropped);
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
