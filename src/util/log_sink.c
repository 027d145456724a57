/* log_sink.c - where a part of the program sends its log lines: a function that it is given. */

#include "util/log_sink.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_BYTES 1024

void
log_sink_printf(const struct log_sink *sink, enum log_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list ap;

    if (sink->write == NULL)
        return;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    sink->write(sink->arg, (int)level, line);
}
