/*
 * clock_jump.c - preloaded into the daemon: its real-time clock is the machine's plus as many
 * seconds as the file CLOCK_OFFSET_FILE holds (an int64_t), which a test changes at any time.
 *
 * The kernel's own clock stays.  So a wait until a real time (pthread_cond_timedwait) lasts as long
 * as after a jump: a daemon whose clock is an hour ahead of the kernel's waits an hour, as one does
 * whose clock was set back by an hour after it had begun to wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;

__attribute__((constructor)) static void
map_offset(void)
{
    int fd = open(getenv("CLOCK_OFFSET_FILE"), O_RDONLY | O_CLOEXEC);
    void *p = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);

    if (fd < 0 || p == MAP_FAILED)
        abort();
    close(fd);
    offset = p;
}

int
clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    if (rc == 0 && offset != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        t->tv_sec += *offset;
    return rc;
}

time_t
time(time_t *to)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (to != NULL)
        *to = t.tv_sec;
    return t.tv_sec;
}

int
gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec t;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *to = (struct timeval){ .tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000 };
    return 0;
}
