/*
 * egress_hooks.h - the egress guard at its post: where libcurl is about to connect, or to reuse a
 * connection.
 */
#ifndef TRANSFER_EGRESS_HOOKS_H
#define TRANSFER_EGRESS_HOOKS_H

#include "fetch/fetch.h"

/* Before a hop is tried: 0, or -1 with f->failure.  Counts, and heeds egress.report_only. */
int egress_hooks_check_url(struct curlew_fetch *f, const struct url *u);

/*
 * libcurl reuses a connection of any HTTP version for a request that asks for another, and in some
 * versions a tunnel through a proxy for one that does not know the proxy's password.  It does keep
 * connections apart by their IPv6 scope.  So each version that was asked for, and each proxy with
 * its credentials, has a scope of its own, which never reaches the socket.  0 where there is
 * neither.
 */
long egress_hooks_scope(const struct curlew_fetch *f);

/* libcurl's open-socket and pre-request callbacks. */
void egress_hooks_attach(struct curlew_fetch *f);

#endif
