/* process_usage.c - what the kernel says of this process. */

#include "util/process_usage.h"

#include "util/clock.h"

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

int64_t
process_usage_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    int64_t pages = -1;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%*s %" SCNd64, &pages) != 1)
        pages = -1;
    fclose(file);
    return pages >= 0 ? pages * sysconf(_SC_PAGESIZE) : -1;
}
