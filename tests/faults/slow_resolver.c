/*
 * slow_resolver.c - preloaded into the daemon: names that end in ".slow.test" take five seconds to
 * resolve, as when a name server does not answer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 5

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **found)
{
    static const char suffix[] = ".slow.test";
    size_t n = name != NULL ? strlen(name) : 0, m = sizeof suffix - 1;
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");

    if (n > m && strcmp(name + n - m, suffix) == 0)
        sleep(SECONDS);
    return real(name, service, hints, found);
}
