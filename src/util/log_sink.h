/*
 * log_sink.h - where a part of the program sends its log lines: a function that it is given.
 *
 * The engine writes to a sink, so that libcurlew leaves a program's standard error alone.
 */
#ifndef UTIL_LOG_SINK_H
#define UTIL_LOG_SINK_H

#include "util/log.h"

struct log_sink {
    /* `line` is without a line break; called from any thread.  NULL: lines are dropped. */
    void (*write)(void *arg, int level, const char *line);
    void *arg;
};

void log_sink_printf(const struct log_sink *sink, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
