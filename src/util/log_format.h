/*
 * log_format.h - one line of the log, as text or as JSON.
 *
 * Whatever a stranger has put into a value, the line stays one line and, as
 * JSON, valid.
 */
#ifndef UTIL_LOG_FORMAT_H
#define UTIL_LOG_FORMAT_H

#include "util/buffer.h"
#include "util/log.h"

void log_format(struct buffer *b, enum log_level level, const char *event,
                const struct log_field *fields, size_t count, bool json);

#endif
