/*
 * listener.h - the sockets web servers connect to.
 *
 * ADDR is unix:PATH, HOST:PORT ([::1]:9000 for IPv6), or fd:N for a socket that is listening
 * already.
 */
#ifndef GATEWAY_LISTENER_H
#define GATEWAY_LISTENER_H

#include "util/error.h"

#include <stddef.h>
#include <sys/types.h>

struct listener {
    int fd;       /* listening, non-blocking, close-on-exec */
    char *path;   /* of a socket that we made and remove again; or NULL */
    dev_t device; /* of that path, so that a successor's socket is never removed */
    ino_t inode;
};

struct listeners {
    struct listener *items;
    size_t count;
};

/* `mode` and `group` (a name or a number, or NULL) are for unix: sockets.  -1 with `err`. */
int listeners_open(struct listeners *ls, const char *address, mode_t mode, const char *group,
                   struct failure *err);
int listeners_check(const char *address,
                    struct failure *err); /* its form only; -1: none of the three */
void listeners_close(struct listeners *ls);

int
listeners_inherited(void); /* how many sockets systemd passed from fd 3 on (LISTEN_FDS); 0: none */
int listeners_fd_listens(int fd); /* 1: fd is a listening stream socket */

#endif
