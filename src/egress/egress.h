/*
 * egress.h - the egress guard: which destinations may be connected to.
 *
 * It judges the address that is really connected to, on every connection,
 * redirect and reuse, so no host name, encoding or rebinding gets round it.
 * By default only public unicast addresses pass.  `deny` wins over `allow`,
 * `allow` wins over the default.  An IPv6 address that carries IPv4 addresses
 * passes only if it and each of these pass; docs/egress.md has the table.
 */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define EGRESS_PORT_MAX 65535

struct egress_config {    /* as configured; every pointer owned */
    char **allow, **deny; /* CIDRs, addresses, host names, "*.suffix" */
    size_t allow_count, deny_count;
    int *ports; /* none: every port from 1 to 65535 */
    size_t port_count;
    bool http, https; /* schemes */
    bool report_only; /* log and count instead of refusing */
};

/* Both schemes, nothing else. */
void egress_config_init(struct egress_config *r);

void egress_config_destroy(struct egress_config *r);

/* Copies; -1: no memory. */
int egress_config_add(char ***list, size_t *count, const char *rule);

struct egress; /* compiled: immutable, safe to read from every thread */

/*
 * NULL with `err` filled: no memory, or a rule that is neither a CIDR nor a host name, or a bad
 * port.
 */
struct egress *egress_new(const struct egress_config *rules, struct failure *err);
struct egress *egress_ref(struct egress *e);

/* Drops one reference; the last one frees. */
void egress_free(struct egress *e);

bool egress_is_report_only(const struct egress *e);

/*
 * Before a hop: scheme, host and port of its URL, as url.h gives them; a host that is a literal
 * address, with or without a zone, is judged as one.
 * true: may go on, to be judged again by address.  false: `err` names the rule and the option.
 * Judges even where report_only is set: what to do then is the caller's.
 */
bool egress_allows_url(const struct egress *e, const char *scheme, const char *host, int port,
                       struct failure *err);

/*
 * At the socket: the address to be connected to.  `host` is the name it was looked up by: the
 * proxy's where there is one, never the origin's behind it; NULL: none.  An allowed name permits
 * whatever address it leads to, but a denied one.  `address` is as long as its family says; any
 * family but IPv4 and IPv6 is refused.  Allocates nothing.
 */
bool egress_allows_address(const struct egress *e, const char *host, const struct sockaddr *address,
                           struct failure *err);

#endif
