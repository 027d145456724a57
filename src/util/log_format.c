/* log_format.c - one line of the log, as text or as JSON. */

#include "util/log_format.h"

#include "util/clock.h"
#include "util/utf8.h"

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

/*
 * The line breaks beyond ASCII (NEL, LS, PS), as many readers of logs take them; their length,
 * or 0.
 */
static size_t
is_line_break(const char *c)
{
    if (strncmp(c, "\xc2\x85", 2) == 0)
        return 2;
    return strncmp(c, "\xe2\x80\xa8", 3) == 0 || strncmp(c, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

/*
 * Quoted, as JSON asks; what is not UTF-8 is shown as ISO-8859-1, so nothing in a line can break
 * it.
 */
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
        buffer_add_integer(b, f->number);
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

void
log_format(struct buffer *b, enum log_level level, const char *event,
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
