/* log_format.c - one line of the log, as text or as JSON. */

#include "util/log_format.h"

#include "util/clock.h"
#include "util/json_text.h"

#include <string.h>
#include <time.h>

#define NS_PER_US 1000

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* Six decimals, as many as a microsecond has. */
static void
add_seconds(struct buffer *b, double seconds)
{
    uint64_t us = seconds > 0 ? (uint64_t)(seconds * US_PER_SECOND + 0.5) : 0;

    buffer_add_digits(b, us / US_PER_SECOND, 1);
    buffer_addc(b, '.');
    buffer_add_digits(b, us % US_PER_SECOND, 6);
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
    buffer_add_digits(b, (uint64_t)ms, 3);
    buffer_addc(b, 'Z');
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
        buffer_add_integer(b, f->number);
    else if (f->kind == LOG_SECONDS)
        add_seconds(b, f->seconds);
    else if (!json && is_plain(f->text))
        buffer_adds(b, f->text);
    else
        json_text_add_line(b, f->text);
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

/* A sentence may quote untrusted input: control characters are replaced. */
static void
add_event(struct buffer *b, const char *event)
{
    for (; *event != '\0'; event++)
        buffer_addc(b, (unsigned char)*event < 0x20 || *event == 0x7f ? '?' : *event);
}

void
log_format(struct buffer *b, enum log_level level, const char *event,
           const struct log_field *fields, size_t count, bool json)
{
    buffer_adds(b, json ? "{\"time\":\"" : "");
    add_time(b);
    if (json) {
        buffer_adds(b, "\",\"level\":\"");
        buffer_adds(b, level_names[level]);
        buffer_adds(b, "\",\"event\":");
        json_text_add_line(b, event);
    } else {
        buffer_addc(b, ' ');
        buffer_adds(b, level_names[level]);
        buffer_addc(b, ' ');
        add_event(b, event);
    }
    for (size_t i = 0; i < count; i++)
        add_field(b, &fields[i], json);
    buffer_adds(b, json ? "}\n" : "\n");
}
