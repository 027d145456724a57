/* ca_store.c - certificate authorities that callers have given, by their hash. */

#include "http/ca_store.h"

#include "http/ca_pem.h"
#include "util/descriptors.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    struct link found; /* longest unused first; each has a reference */
    int count;
    size_t bytes; /* of these */
    size_t held;  /* of all bundles in memory */
} store = { .lock = PTHREAD_MUTEX_INITIALIZER, .found = { &store.found, &store.found } };

/* -- references ------------------------------------------------------------- */

struct ca_bundle *
ca_store_ref(struct ca_bundle *b)
{
    if (b != NULL)
        atomic_fetch_add(&b->refs, 1);
    return b;
}

/* The lock is held, and the reference is not the last one of a bundle that is found. */
static void
drop(struct ca_bundle *b)
{
    if (atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    store.held -= b->fd >= 0 ? 2 * b->size : b->size;
    if (b->fd >= 0)
        close(b->fd);
    free(b);
}

void
ca_store_unref(struct ca_bundle *b)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&store.lock);
    drop(b);
    pthread_mutex_unlock(&store.lock);
}

/* -- under the lock ---------------------------------------------------------- */

static struct ca_bundle *
find(const char *hash)
{
    for (struct link *l = store.found.next; l != &store.found; l = l->next) {
        struct ca_bundle *b = container_of(l, struct ca_bundle, link);

        if (strcmp(b->hash, hash) != 0)
            continue;
        list_remove(l);
        list_append(&store.found, l);
        return ca_store_ref(b);
    }
    return NULL;
}

static void
forget_oldest(void)
{
    struct ca_bundle *b = container_of(list_take(&store.found), struct ca_bundle, link);

    store.count--;
    store.bytes -= b->size;
    drop(b);
}

static void
keep(struct ca_bundle *b)
{
    list_append(&store.found, &b->link);
    ca_store_ref(b);
    store.count++;
    store.bytes += b->size;
    while (store.count > CA_STORE_COUNT || store.bytes > CA_STORE_BYTES)
        forget_oldest();
}

/* A new one, which is then kept.  NULL with `err`: no room. */
static struct ca_bundle *
add(const char *pem, size_t n, const char *hash, struct failure *err)
{
    struct ca_bundle *b = NULL;

    if (store.held + n > CA_STORE_HELD)
        failure_set(err, ERROR_OVERLOADED,
                    "ca_pem: fetches and sessions use over %d bytes of certificates",
                    CA_STORE_HELD);
    else if ((b = malloc(sizeof *b + n + 1)) == NULL)
        failure_no_memory(err);
    if (b == NULL)
        return NULL;
    b->refs = 1;
    b->fd = -1;
    b->size = n;
    strcpy(b->hash, hash);
    memcpy(b->pem, pem, n);
    b->pem[n] = '\0';
    store.held += n;
    keep(b);
    return b;
}

/* -- as a file ---------------------------------------------------------------- */

/*
 * The number of a closed descriptor comes back, and with it the path that has no more in it.  So
 * this one spells a number that never comes back, each bit as "./" or "/", which lead nowhere else.
 */
static void
spell_path(struct ca_bundle *b)
{
    static unsigned long count; /* under the lock */
    char *end = stpcpy(b->path, "/proc/self/fd/");

    for (unsigned long n = ++count; n > 0; n >>= 1)
        end = stpcpy(end, n % 2 == 1 ? "./" : "/");
    snprintf(end, (size_t)(b->path + sizeof b->path - end), "%d", b->fd);
}

static int
write_file(struct ca_bundle *b)
{
    int fd = memfd_create("ca_pem", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    for (size_t done = 0; done < b->size;) {
        ssize_t n = write(fd, b->pem + done, b->size - done);

        if (n <= 0) {
            close(fd);
            errno = ENOMEM;
            return -1;
        }
        done += (size_t)n;
    }
    b->fd = fd;
    store.held += b->size; /* the file is in memory, too */
    spell_path(b);
    return 0;
}

const char *
ca_store_path(struct ca_bundle *b, struct failure *err)
{
    int error;

    pthread_mutex_lock(&store.lock);
    error = b->fd >= 0 || write_file(b) == 0 ? 0 : errno;
    pthread_mutex_unlock(&store.lock);
    if (error == 0)
        return b->path;
    if (descriptors_is_shortage(error))
        descriptors_fail(err);
    else
        failure_no_memory(err);
    return NULL;
}

/* -- the text ---------------------------------------------------------------- */

/* With its prefix, of any length: one that is no hash is not found. */
static struct ca_bundle *
get_named(const char *text, struct failure *err)
{
    const char *hash = text + strlen(CA_STORE_PREFIX);
    struct ca_bundle *b;

    if (strlen(hash) != SHA256_HEX_SIZE - 1 ||
        strspn(hash, "0123456789abcdef") != SHA256_HEX_SIZE - 1) {
        failure_set(err, ERROR_BAD_REQUEST, "expected sha256: and 64 hex digits in lower case");
        return NULL;
    }
    pthread_mutex_lock(&store.lock);
    b = find(hash);
    pthread_mutex_unlock(&store.lock);
    if (b == NULL)
        failure_set(err, ERROR_UNKNOWN_CA,
                    "ca_pem: no certificates with this hash are stored (any more); send the PEM");
    return b;
}

struct ca_bundle *
ca_store_get(const char *text, size_t n, struct failure *err)
{
    char hash[SHA256_HEX_SIZE];
    struct ca_bundle *b;

    if (strncmp(text, CA_STORE_PREFIX, strlen(CA_STORE_PREFIX)) == 0)
        return get_named(text, err);
    if (ca_pem_check(text, n, err) != 0)
        return NULL;
    sha256_hex(hash, text, n);
    pthread_mutex_lock(&store.lock);
    if ((b = find(hash)) == NULL)
        b = add(text, n, hash, err);
    pthread_mutex_unlock(&store.lock);
    return b;
}
