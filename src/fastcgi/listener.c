/* listener.c - the sockets web servers connect to. */

#include "fastcgi/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST_MAX 256
#define BACKLOG  4096 /* the kernel cuts it to net.core.somaxconn */

#define KEEPALIVE_IDLE_S  30 /* without a byte, before the first probe */
#define KEEPALIVE_EVERY_S 10 /* between probes */
#define KEEPALIVE_PROBES  3  /* without an answer, before the connection is dead */

/* 0 (the kernel chooses) to 65535: getaddrinfo() takes larger numbers modulo 65536. */
static bool
is_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *text >= '0' && *text <= '9' && *end == '\0' && port <= 65535;
}

/*
 * A web server's machine that vanishes closes nothing: its requests would stay in flight, and its
 * idle connections open for ever.  Accepted sockets inherit this.  No effect on a unix socket.
 */
static void
probe_peers(int fd)
{
    static const int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S,
                     probes = KEEPALIVE_PROBES;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static int
add(struct listener_list *list, int fd, const char *path, struct failure *err)
{
    struct listener *items = realloc(list->items, (list->count + 1) * sizeof items[0]);
    struct listener *listener;
    struct stat st;

    if (items == NULL) {
        close(fd);
        return failure_no_memory(err);
    }
    list->items = items;
    listener = &items[list->count++];
    *listener = (struct listener){ .fd = fd, .path = path != NULL ? strdup(path) : NULL };
    if (path != NULL && stat(path, &st) == 0) {
        listener->device = st.st_dev;
        listener->inode = st.st_ino;
    }
    probe_peers(fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return 0;
}

void
listener_list_close(struct listener_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct listener *listener = &list->items[i];
        struct stat st;

        if (listener->path != NULL && stat(listener->path, &st) == 0 &&
            st.st_dev == listener->device && st.st_ino == listener->inode)
            unlink(listener->path);
        close(listener->fd);
        free(listener->path);
    }
    free(list->items);
    *list = (struct listener_list){ 0 };
}

static int
fail(struct failure *err, const char *address, const char *what)
{
    return failure_set(err, ERROR_INTERNAL, "listen %s: %s: %s", address, what, strerror(errno));
}

/* -- unix:PATH ----------------------------------------------------------- */

/* A daemon that crashed leaves a socket that nobody listens on. */
static int
remove_stale(const struct sockaddr_un *addr, const char *address, struct failure *err)
{
    struct stat st;
    int fd, rc;

    if (lstat(addr->sun_path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return failure_set(err, ERROR_INTERNAL, "listen %s: exists and is no socket", address);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return fail(err, address, "socket");
    rc = connect(fd, (const struct sockaddr *)addr, sizeof *addr);
    close(fd);
    if (rc == 0 || errno == EAGAIN)
        return failure_set(err, ERROR_INTERNAL, "listen %s: another process listens there",
                           address);
    return unlink(addr->sun_path) == 0 ? 0 : fail(err, address, "remove the stale socket");
}

static int
find_group(const char *group, gid_t *number, struct failure *err)
{
    char *end;
    struct group *g;

    *number = (gid_t)strtoul(group, &end, 10);
    if (*end == '\0' && end != group)
        return 0;
    if ((g = getgrnam(group)) == NULL)
        return failure_set(err, ERROR_INTERNAL, "socket_group: there is no group \"%s\"", group);
    *number = g->gr_gid;
    return 0;
}

static int
set_group(const char *path, const char *group, const char *address, struct failure *err)
{
    gid_t number;

    if (group == NULL)
        return 0;
    if (find_group(group, &number, err) != 0)
        return -1;
    return chown(path, (uid_t)-1, number) == 0 ? 0 : fail(err, address, "chown");
}

static int
open_unix(struct listener_list *list, const char *address, mode_t mode, const char *group,
          struct failure *err)
{
    const char *path = address + strlen("unix:");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    mode_t old;
    int fd, rc;

    strcpy(addr.sun_path, path);
    if (remove_stale(&addr, address, err) != 0)
        return -1;
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return fail(err, address, "socket");
    old = umask(0177); /* nobody can connect before the mode is set */
    rc = bind(fd, (struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (rc != 0)
        rc = fail(err, address, "bind");
    else if (set_group(path, group, address, err) != 0)
        rc = -1;
    else if (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0)
        rc = fail(err, address, "listen");
    if (rc == 0)
        return add(list, fd, path, err);
    close(fd);
    return -1;
}

/* -- HOST:PORT ----------------------------------------------------------- */

static int
bind_one(const struct addrinfo *addr)
{
    int fd = socket(addr->ai_family, addr->ai_socktype | SOCK_CLOEXEC, addr->ai_protocol), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (addr->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, addr->ai_addr, addr->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

static int
open_tcp(struct listener_list *list, const char *address, struct failure *err)
{
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found;
    char host[HOST_MAX];
    size_t n = (size_t)(colon - address);
    int fd, rc;

    memcpy(host, address, n);
    host[n] = '\0';
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        memmove(host, host + 1, n - 1);
    }
    if ((rc = getaddrinfo(host, colon + 1, &hints, &found)) != 0)
        return failure_set(err, ERROR_INTERNAL, "listen %s: %s", address, gai_strerror(rc));
    fd = bind_one(found);
    freeaddrinfo(found);
    return fd >= 0 ? add(list, fd, NULL, err) : fail(err, address, "bind");
}

/* -- fd:N ---------------------------------------------------------------- */

int
listener_fd_listens(int fd)
{
    int listening = 0, type = 0;
    socklen_t n = sizeof listening, m = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 && listening &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

static int
open_fd(struct listener_list *list, const char *address, struct failure *err)
{
    long fd = strtol(address + strlen("fd:"), NULL, 10);

    if (!listener_fd_listens((int)fd))
        return failure_set(err, ERROR_INTERNAL, "listen %s: not a listening stream socket",
                           address);
    return add(list, (int)fd, NULL, err);
}

/* sd_listen_fds(3): the sockets are ours only if LISTEN_PID is our process id. */
int
listener_inherited_count(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    long n = count != NULL ? strtol(count, NULL, 10) : 0;

    if (pid == NULL || strtol(pid, NULL, 10) != (long)getpid() || n < 1 || n > 1024)
        return 0;
    return (int)n;
}

int
listener_check_address(const char *address, struct failure *err)
{
    const char *colon = strrchr(address, ':');
    size_t n = strlen(address);

    if (strncmp(address, "unix:", 5) == 0) {
        if (n > 5 && n - 5 < sizeof(struct sockaddr_un){ 0 }.sun_path)
            return 0;
        return failure_set(err, ERROR_BAD_REQUEST, "listen: \"%.200s\": a path of 1 to %zu bytes",
                           address, sizeof(struct sockaddr_un){ 0 }.sun_path - 1);
    }
    if (colon != NULL && colon > address && colon - address < HOST_MAX && is_port(colon + 1))
        return 0; /* fd:N has the form of HOST:PORT, and N the range of a port */
    return failure_set(err, ERROR_BAD_REQUEST,
                       "listen: \"%.200s\" is neither unix:PATH nor HOST:PORT nor fd:N", address);
}

/* Port 0 may be: the kernel chooses another each time. */
static bool
may_repeat(const char *address)
{
    const char *colon = strrchr(address, ':');

    return strncmp(address, "unix:", 5) != 0 && strncmp(address, "fd:", 3) != 0 &&
           strcmp(colon, ":0") == 0;
}

int
listener_check_addresses(char *const *addresses, size_t count, struct failure *err)
{
    for (size_t i = 0; i < count; i++) {
        if (listener_check_address(addresses[i], err) != 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (strcmp(addresses[i], addresses[k]) == 0 && !may_repeat(addresses[i]))
                return failure_set(err, ERROR_BAD_REQUEST, "listen: \"%.200s\" is there twice",
                                   addresses[i]);
    }
    return 0;
}

int
listener_check_group(const char *address, const char *group, struct failure *err)
{
    gid_t number;

    return group != NULL && strncmp(address, "unix:", 5) == 0 ? find_group(group, &number, err) : 0;
}

int
listener_list_open(struct listener_list *list, const char *address, mode_t mode, const char *group,
                   struct failure *err)
{
    if (listener_check_address(address, err) != 0)
        return -1;
    if (strncmp(address, "unix:", 5) == 0)
        return open_unix(list, address, mode, group, err);
    if (strncmp(address, "fd:", 3) == 0)
        return open_fd(list, address, err);
    return open_tcp(list, address, err);
}

/* -- for the log --------------------------------------------------------- */

static void
describe(int fd, char *text, size_t size)
{
    struct sockaddr_storage addr = { 0 };
    socklen_t n = sizeof addr;
    const char *path = ((struct sockaddr_un *)&addr)->sun_path;
    char host[INET6_ADDRSTRLEN], port[8];

    if (getsockname(fd, (struct sockaddr *)&addr, &n) != 0)
        snprintf(text, size, "fd:%d", fd);
    else if (addr.ss_family == AF_UNIX)
        snprintf(text, size, "unix:%.*s", (int)sizeof((struct sockaddr_un *)0)->sun_path, path);
    else if (getnameinfo((struct sockaddr *)&addr, n, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(text, size, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    else
        snprintf(text, size, "fd:%d", fd);
}

void
listener_list_describe(const struct listener_list *list, char *text, size_t size)
{
    char one[160];
    size_t length = 0, room;

    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        describe(list->items[i].fd, one, sizeof one);
        room = strlen(one) + 2;
        if (length + room >= size)
            return;
        length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? ", " : "", one);
    }
}
