/*
 * log.h - lines on standard error, as text or as JSON, without blocking the caller.
 *
 * A line goes into a bounded buffer, which a thread of the log writes out.  Lines are dropped while
 * standard error is slower than the daemon, or cannot be written.  They are counted, and the next
 * line that can be written says how many.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include "util/log_format.h"

#include <stdbool.h>
#include <stddef.h>

/* The writer's thread; 0 or -1. Before it, lines are written at once, or dropped after a second. */
int log_start(void);

/*
 * Writes the lines that are left and joins the thread.  If that takes longer than two seconds the
 * thread is left behind: it hangs in write().  Nothing is logged any more, and log_start() fails.
 */
void log_stop(void);

/* How many since the start of the process. */
uint64_t log_dropped_lines(void);

/* At any time, from one thread. */
void log_setup(enum log_level level, bool json);

/* Is a line of this level written?  Else its fields need not be collected. */
bool log_takes(enum log_level level);

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

/* A plain sentence. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
