/* test_process_usage.c - what the kernel says of this process. */

#include "util/process_usage.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIB 1048576

Test(process_usage, processor_time_is_that_of_getrusage_and_grows_with_work)
{
    int64_t before = process_usage_cpu_us(), of_rusage;
    clock_t until = clock() + CLOCKS_PER_SEC / 20;
    struct rusage usage;

    while (clock() < until)
        ;
    cr_assert_geq(process_usage_cpu_us() - before, 45000);
    getrusage(RUSAGE_SELF, &usage);
    of_rusage = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
                usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    cr_assert_lt(llabs(process_usage_cpu_us() - of_rusage), 50000);
}

Test(process_usage, memory_that_is_touched_is_resident)
{
    int64_t before = process_usage_resident_bytes();
    char *p = malloc(64 * MIB);

    cr_assert_not_null(p);
    memset(p, 1, 64 * MIB);
    cr_assert_gt(before, 0);
    cr_assert_geq(process_usage_resident_bytes() - before, p[MIB] * 60 * MIB);
    free(p);
}

Test(process_usage, without_a_descriptor_left_memory_is_unknown)
{
    int next = dup(0);
    struct rlimit none = { (rlim_t)next, (rlim_t)next + 1 };

    close(next);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_assert_eq(process_usage_resident_bytes(), -1);
}
