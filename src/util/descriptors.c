/*
 * descriptors.c - the process's limit of open files: who may have how many, and whether it is
 * reached.
 */

#include "util/descriptors.h"

#include "util/clock.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define SHARE_MIN   4  /* of a limit that is too low for anything */
#define SURPLUS_MAX 64 /* as their answers are short, few are open at a time */
#define GUESS       32 /* in use where /proc does not tell */
#define RECENT_US   US_PER_SECOND
#define PROBES      8 /* more than a look-up or a TLS handshake takes */

static _Atomic int64_t short_us; /* when the last shortage was seen; 0: never */

static int
at_least(int n)
{
    return n > SHARE_MIN ? n : SHARE_MIN;
}

struct descriptor_shares
descriptors_divide(int limit, int in_use)
{
    int free = limit - in_use, surplus = free / 12;

    surplus = surplus < SURPLUS_MAX ? at_least(surplus) : SURPLUS_MAX;
    return (struct descriptor_shares){
        .limit = limit,
        .origins = at_least((free - surplus) / 3),
        .callers = at_least((free - surplus) / 2),
        .surplus = surplus,
    };
}

static int
limit_now(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)l.rlim_cur;
}

static int
count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = -3; /* "." and "..", and the directory itself */

    if (dir == NULL)
        return GUESS;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

struct descriptor_shares
descriptors_shares(int more)
{
    return descriptors_divide(limit_now(), count_open() + more);
}

bool
descriptors_is_shortage(int error)
{
    return error == EMFILE || error == ENFILE;
}

void
descriptors_note_shortage(void)
{
    short_us = clock_us();
}

/* What has failed of a shortage has given its own descriptors back by now. */
static bool
has_free(void)
{
    int fds[PROBES], n = 0;

    while (n < PROBES && (fds[n] = eventfd(0, EFD_CLOEXEC)) >= 0)
        n++;
    for (int i = 0; i < n; i++)
        close(fds[i]);
    return n == PROBES;
}

bool
descriptors_are_short(void)
{
    if (!has_free())
        return true;
    return short_us != 0 && clock_us() - short_us < RECENT_US;
}

int
descriptors_fail(struct failure *err)
{
    return failure_set(err, ERROR_OVERLOADED,
                       "open files: the limit of %d is reached; raise LimitNOFILE of the service, "
                       "or ulimit -n",
                       limit_now());
}
