/*
 * slow_resolver.c - preloaded into the daemon: a name with a label that begins with "slow" takes
 * five seconds to resolve, as when a name server does not answer; one that ends in ".quick.test" is
 * 127.0.0.1 at once, one that ends in ".brief.test" after a fifth of a second.
 *
 * A libcurl with c-ares asks a name server itself: where RESOLV_CONF is set, that file takes the
 * place of /etc/resolv.conf.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS  5
#define BRIEF_US 200000

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef FILE *opener(const char *, const char *);

static int
ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    return n > m && strcmp(name + n - m, suffix) == 0;
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **found)
{
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");

    if (name != NULL && strstr(name, ".slow") != NULL)
        sleep(SECONDS);
    if (name != NULL && ends_with(name, ".brief.test"))
        usleep(BRIEF_US);
    if (name != NULL && (ends_with(name, ".quick.test") || ends_with(name, ".brief.test")))
        name = "127.0.0.1";
    return real(name, service, hints, found);
}

static FILE *
open_file(const char *symbol, const char *path, const char *mode)
{
    const char *other = getenv("RESOLV_CONF");
    opener *real = (opener *)dlsym(RTLD_NEXT, symbol);

    return real(other != NULL && strcmp(path, "/etc/resolv.conf") == 0 ? other : path, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
    return open_file("fopen", path, mode);
}

FILE *
fopen64(const char *path, const char *mode)
{
    return open_file("fopen64", path, mode);
}
