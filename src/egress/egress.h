/*
 * egress.h - the egress guard against SSRF: which destinations may be connected to.
 *
 * It checks the address that is really connected to, on every connection, redirect and reuse, so
 * no host name, encoding or DNS rebinding gets around it.  By default only public unicast addresses
 * pass.  `deny` wins over `allow`, `allow` wins over the default.  An IPv6 address that embeds IPv4
 * addresses passes only if it and each of these pass; docs/egress.md has the table.
 */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include "egress/egress_config.h"
#include "util/failure.h"

#include <sys/socket.h>

#define EGRESS_PORT_MAX 65535

struct egress; /* the compiled rules: immutable, safe to read from every thread */

/* NULL with `err`: no memory, a rule that is neither a CIDR nor a host name, or a bad port. */
struct egress *egress_new(const struct egress_config *rules, struct failure *err);
struct egress *egress_ref(struct egress *e);

/* The last reference frees; NULL is allowed. */
void egress_unref(struct egress *e);

bool egress_is_report_only(const struct egress *e);

/*
 * Before a hop: scheme, host and port of its URL, as url.h gives them.  A host that is a literal
 * address, with or without a zone, is checked as one.  true: go on, and check the address as well.
 * false: `err` names the rule and the option.  The answer is the same in report-only mode: the
 * caller decides what to do then.
 */
bool egress_allows_url(const struct egress *e, const char *scheme, const char *host, int port,
                       struct failure *err);

/*
 * Of a proxy: does egress.proxy_ports permit its port?  Its address is checked as any other when it
 * is connected to.
 */
bool egress_allows_proxy(const struct egress *e, const char *host, int port, struct failure *err);

/*
 * Of a target behind a proxy, in addition to egress_allows_url(): a name is resolved by the proxy,
 * so that its address is never seen here.  It passes only if the operator lets this proxy resolve
 * names.  "localhost" is judged as 127.0.0.1.
 */
bool egress_allows_behind_proxy(const struct egress *e, const char *host, bool resolves,
                                struct failure *err);

/*
 * For redirects_public_only: whatever the rules say, a host that is a literal address, or an
 * address that is about to be connected to, must be public.  A name passes the first.
 */
bool egress_allows_public_host(const char *host, struct failure *err);
bool egress_allows_public_address(const struct sockaddr *address, struct failure *err);

/*
 * Before a connection: its address.  `host` is the name that was resolved to it: the proxy's where
 * there is one, never the origin's behind it; NULL: none.  An allowed name permits every address
 * that it resolves to, except a denied one.  `address` is as long as its family says; any family
 * but IPv4 and IPv6 is refused.  Allocates nothing.
 */
bool egress_allows_address(const struct egress *e, const char *host, const struct sockaddr *address,
                           struct failure *err);

#endif
