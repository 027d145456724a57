/*
 * listener.h - the sockets web servers connect to.
 *
 * ADDR is unix:PATH, HOST:PORT ([::1]:9000 for IPv6), or fd:N for a socket that is listening
 * already.
 */
#ifndef FASTCGI_LISTENER_H
#define FASTCGI_LISTENER_H

#include "util/failure.h"

#include <stddef.h>
#include <sys/types.h>

struct listener {
    int fd;       /* listening, non-blocking, close-on-exec */
    char *path;   /* of a socket that we created and will remove; or NULL */
    dev_t device; /* of that path: a socket that a later daemon put there is not removed */
    ino_t inode;
};

struct listener_list {
    struct listener *items;
    size_t count;
};

/* `mode` and `group` (a name or a number, or NULL) are for unix: sockets.  -1 with `err`. */
int listener_list_open(struct listener_list *list, const char *address, mode_t mode,
                       const char *group, struct failure *err);

/* Checks the form only.  -1 with `err`: none of the three. */
int listener_check_address(const char *address, struct failure *err);

/* Checks the form of each, and that none is there twice.  -1 with `err`. */
int listener_check_addresses(char *const *addresses, size_t count, struct failure *err);

/* Is there this group, for a socket at a unix: address?  -1 with `err`: no. */
int listener_check_group(const char *address, const char *group, struct failure *err);

void listener_list_close(struct listener_list *list);

/*
 * Where they listen, as ADDRs in `text`, separated by ", ".  The kernel is asked: it knows the path
 * of a socket that systemd passed, and the port that it chose.  What does not fit is left out.
 */
void listener_list_describe(const struct listener_list *list, char *text, size_t size);

/* How many sockets systemd passed from fd 3 on (LISTEN_FDS); 0: none. */
int listener_inherited_count(void);

/* 1: fd is a listening stream socket. */
int listener_fd_listens(int fd);

#endif
