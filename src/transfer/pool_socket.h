/*
 * pool_socket.h - one socket of a pool: what pool.c and pool_idle.c share.
 */
#ifndef TRANSFER_POOL_SOCKET_H
#define TRANSFER_POOL_SOCKET_H

#include "transfer/connection_pool.h"

#include <sys/types.h>

struct pool_socket {
    struct watch watch;
    struct connection_pool *pool;
    /* Keeps the session alive; NULL: libcurl's own, such as the resolver's. */
    struct config_snapshot *config;
    struct session *session; /* that opened it */
    struct link place;       /* among the idle */
    struct link birth;       /* among the sockets of the hop that opened it */
    ino_t inode;             /* of that very socket, whoever has its number now */
    struct timer timer;      /* end of its idle time */
    uint32_t wanted;         /* EPOLLIN, EPOLLOUT: what libcurl waits for; 0: nothing */
    uint32_t events;         /* watched for; 0: not at all */
    uint64_t conn_id;        /* its connection, as in struct curlew_fetch */
    bool counted;            /* among the open connections */
    int64_t resets;          /* of the session, when the socket was opened */
};

/* NULL: none of ours. */
struct pool_socket *pool_socket_of(struct connection_pool *p, int fd);

/* No longer among the open connections. */
void pool_uncount(struct pool_socket *s);

/* In pool_idle.c. */

/* It is busy, or about to be closed. */
void pool_leave_idle(struct pool_socket *s);

/* s->timer has fired. */
void pool_idle_over(struct timer *t);

#endif
