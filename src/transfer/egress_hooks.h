/*
 * egress_hooks.h - applies the egress rules where libcurl is about to connect, or to reuse a
 * connection: the protection against SSRF.
 */
#ifndef TRANSFER_EGRESS_HOOKS_H
#define TRANSFER_EGRESS_HOOKS_H

#include "fetch/fetch.h"

/* Before a hop is sent: 0, or -1 with f->failure.  Counts, and obeys egress.report_only. */
int egress_hooks_check_url(struct curlew_fetch *f, const struct url *u);

/* Likewise of f->proxy_host and the proxy's port. */
int egress_hooks_check_proxy(struct curlew_fetch *f, int port);

/* Likewise of where a redirect leads: redirects_public_only counts there, too. */
int egress_hooks_check_redirect(struct curlew_fetch *f, const struct url *u);

/*
 * libcurl reuses a connection of one HTTP version for a request that asks for another, and some
 * versions reuse a tunnel through a proxy for a request without that proxy's password.  But it
 * keeps connections with different IPv6 scopes apart.  So each HTTP version that a request names,
 * each proxy with its credentials, and each client key gets a scope of its own, which never reaches
 * the socket.  0: none of them, or the address has a zone of its own.
 */
long egress_hooks_scope(const struct curlew_fetch *f);

/* Set libcurl's open-socket and pre-request callbacks. */
void egress_hooks_attach(struct curlew_fetch *f);

#endif
