/* thread_count.c - how many threads of the process have the calling thread's name. */

#include "util/thread_count.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define TASKS      "/proc/self/task"
#define NAME_BYTES 16 /* prctl(2), with its NUL */

/* 1: it has; 0: it has not, or has ended meanwhile; -1: it cannot be read, for want of memory. */
static int
compare_name(const char *task, const char *name)
{
    char path[sizeof TASKS + 40], found[NAME_BYTES + 1];
    FILE *file;
    int same = 0;

    snprintf(path, sizeof path, TASKS "/%.20s/comm", task);
    if ((file = fopen(path, "re")) == NULL)
        return errno == ENOENT || errno == ESRCH ? 0 : -1;
    if (fgets(found, sizeof found, file) != NULL) {
        found[strcspn(found, "\n")] = '\0';
        same = strcmp(found, name) == 0;
    }
    fclose(file);
    return same;
}

int
thread_count_like_this(void)
{
    char name[NAME_BYTES] = "";
    const struct dirent *entry;
    DIR *tasks = opendir(TASKS);
    int n = 0, same = 0;

    if (tasks == NULL)
        return -1;
    prctl(PR_GET_NAME, name);
    while (same >= 0 && (entry = readdir(tasks)) != NULL) {
        same = entry->d_name[0] != '.' ? compare_name(entry->d_name, name) : 0;
        n += same;
    }
    closedir(tasks);
    return same >= 0 && n > 0 ? n : -1;
}
