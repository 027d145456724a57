/*
 * failing_malloc.c - preloaded into the daemon: while it is armed, the Nth allocation fails.
 *
 * FAILING_MALLOC names a file of sizeof(struct control) bytes that the test maps, too: it sets
 * `left`, and reads what became of it.  Allocations of all threads and libraries count; the start
 * of a thread is one, too, as it needs a stack.
 *
 * Not those of jansson's own code: where one fails, jansson 2.14 writes past its buffers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES 24

/* Read and written by the test: failing_malloc.py has the same layout. */
struct control {
    _Atomic int64_t left;     /* the one that takes it from 1 to 0 fails; at 0 none does */
    _Atomic int64_t count;    /* of allocations since the test has set it to 0 */
    _Atomic int64_t failures; /* likewise */
    _Atomic int64_t live;     /* allocations that were not freed */
    _Atomic int64_t more;     /* how many after that one fail as well */
    char trace[4056];         /* where the last one failed: "module+offset", a line a frame */
};

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *p);

static struct control *control;
static _Thread_local int tracing;
static uintptr_t spared_start, spared_end;

static int
find_spared(struct dl_phdr_info *module, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; strstr(module->dlpi_name, "/libjansson.so") != NULL && i < module->dlpi_phnum;
         i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];

        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        spared_start = module->dlpi_addr + part->p_vaddr;
        spared_end = spared_start + part->p_memsz;
    }
    return 0;
}

__attribute__((constructor)) static void
set_up(void)
{
    const char *path = getenv("FAILING_MALLOC");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *frame, *map;

    if (fd < 0)
        return;
    backtrace(&frame, 1); /* its first call allocates */
    dl_iterate_phdr(find_spared, NULL);
    map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    control = map != MAP_FAILED ? map : NULL;
}

#define CALLER __builtin_return_address(0)

/* -- which one fails --------------------------------------------------------- */

static void
trace(void)
{
    void *frames[FRAMES];
    size_t at = 0;
    int n;

    tracing = 1;
    n = backtrace(frames, FRAMES);
    for (int i = 0; i < n && at < sizeof control->trace; i++) {
        Dl_info info;

        if (dladdr(frames[i], &info) != 0)
            at += (size_t)snprintf(control->trace + at, sizeof control->trace - at, "%s+0x%lx\n",
                                   info.dli_fname,
                                   (unsigned long)((char *)frames[i] - (char *)info.dli_fbase));
    }
    tracing = 0;
}

static bool
is_over(void)
{
    int64_t left = atomic_load(&control->left);

    while (left > 0)
        if (atomic_compare_exchange_weak(&control->left, &left, left - 1))
            return left == 1;
    return false;
}

static bool
is_one_of_more(void)
{
    int64_t more = atomic_load(&control->more);

    while (more > 0 && atomic_load(&control->left) == 0)
        if (atomic_compare_exchange_weak(&control->more, &more, more - 1))
            return true;
    return false;
}

static bool
must_fail(const void *caller)
{
    if (control == NULL || tracing ||
        ((uintptr_t)caller >= spared_start && (uintptr_t)caller < spared_end))
        return false;
    atomic_fetch_add(&control->count, 1);
    if (!is_over() && !is_one_of_more())
        return false;
    atomic_fetch_add(&control->failures, 1);
    trace();
    return true;
}

static void *
no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *
counted(void *p)
{
    if (control != NULL && p != NULL)
        atomic_fetch_add(&control->live, 1);
    return p;
}

/* -- what it stands in for ----------------------------------------------------- */

void *
malloc(size_t n)
{
    return must_fail(CALLER) ? no_memory() : counted(__libc_malloc(n));
}

void *
calloc(size_t count, size_t n)
{
    return must_fail(CALLER) ? no_memory() : counted(__libc_calloc(count, n));
}

void *
realloc(void *p, size_t n)
{
    if (must_fail(CALLER))
        return no_memory();
    return p != NULL ? __libc_realloc(p, n) : counted(__libc_malloc(n));
}

void *
reallocarray(void *p, size_t count, size_t n)
{
    return n != 0 && count > SIZE_MAX / n ? no_memory() : realloc(p, count * n);
}

void *
memalign(size_t alignment, size_t n)
{
    return must_fail(CALLER) ? no_memory() : counted(__libc_memalign(alignment, n));
}

void *
aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int
posix_memalign(void **p, size_t alignment, size_t n)
{
    *p = memalign(alignment, n);
    return *p != NULL ? 0 : ENOMEM;
}

void
free(void *p)
{
    if (control != NULL && p != NULL)
        atomic_fetch_add(&control->live, -1);
    __libc_free(p);
}

/* A thread's stack is memory, too, which no malloc() gives. */
typedef int creator(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    static creator *real;

    if (real == NULL)
        real = (creator *)dlsym(RTLD_NEXT, "pthread_create");
    return must_fail(CALLER) ? EAGAIN : real(thread, attr, run, arg);
}
