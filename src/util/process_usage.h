/*
 * process_usage.h - what the kernel says of this process: its processor time and its memory.
 */
#ifndef UTIL_PROCESS_USAGE_H
#define UTIL_PROCESS_USAGE_H

#include <stdint.h>

/* Processor time of all threads since the start, in the kernel and outside. */
int64_t process_usage_cpu_us(void);

/* Bytes in memory (RSS); -1: /proc does not tell. */
int64_t process_usage_resident_bytes(void);

#endif
