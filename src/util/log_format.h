/*
 * log_format.h - one line of the log, as text or as JSON.
 *
 * Whatever bytes a value holds, the line stays one line and, as JSON, valid.
 */
#ifndef UTIL_LOG_FORMAT_H
#define UTIL_LOG_FORMAT_H

#include "util/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* One field of a line.  Values are escaped as the format asks. */
struct log_field {
    const char *name;
    enum { LOG_TEXT, LOG_NUMBER, LOG_SECONDS } kind;
    const char *text; /* NULL: the field is left out */
    int64_t number;
    double seconds;
};

void log_format(struct buffer *b, enum log_level level, const char *event,
                const struct log_field *fields, size_t count, bool json);

#endif
