/* process_usage.c - what the kernel says of this process. */

#include "util/process_usage.h"

#include "util/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int64_t
process_usage_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

/* Not by fopen(), which needs memory: it is also asked where there is none. */
int64_t
process_usage_resident_bytes(void)
{
    char text[128];
    int64_t pages;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%*s %" SCNd64, &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : -1;
}
