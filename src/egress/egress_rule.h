/* egress_rule.h - a rule of egress.allow or egress.deny: a network, a host name or a suffix. */
#ifndef EGRESS_EGRESS_RULE_H
#define EGRESS_EGRESS_RULE_H

#include "egress/ip_address.h"
#include "util/failure.h"

#include <stdbool.h>
#include <stddef.h>

#define RULE_NAME_MAX 253 /* bytes of a host name, RFC 1035 section 2.3.4 */

enum egress_rule_kind {
    RULE_NETWORK, /* "10.0.0.0/8", "fd00::/8", "192.0.2.1" */
    RULE_NAME,    /* "example.com" */
    RULE_SUFFIX,  /* "*.example.com": every name below it, at any depth, but not itself */
};

struct egress_rule {
    enum egress_rule_kind kind;
    char *text;                /* as configured; owned */
    const char *name;          /* in `text`: the host name, or the suffix with its dot */
    size_t name_size;          /* without a trailing dot */
    struct ip_network network; /* of RULE_NETWORK */
};

struct egress_rule_list {
    struct egress_rule *items;
    size_t count;
};

/* -1 with `err`: it names `option` ("egress.allow"), the rule and what is wrong with it. */
int egress_rule_list_init(struct egress_rule_list *list, char *const *texts, size_t count,
                          const char *option, struct failure *err);

/* A list of zero bytes is allowed. */
void egress_rule_list_destroy(struct egress_rule_list *list);

/*
 * The first rule that matches the host name of `size` bytes, which is no literal address and has no
 * trailing dot; case does not matter.  NULL: none.
 */
const struct egress_rule *egress_rule_list_find_host(const struct egress_rule_list *list,
                                                     const char *host, size_t size);

/* The bytes of a host name without the dot at its end. */
size_t egress_rule_host_size(const char *host);

/* Names that resolve to loopback without a name server (RFC 6761 section 6.3). */
bool egress_rule_is_localhost(const char *host);

/* Does a rule name this host, a name or an address in any spelling? */
bool egress_rule_list_has(const struct egress_rule_list *list, const char *host);

/* The rule with the narrowest network that contains the address; NULL: none. */
const struct egress_rule *egress_rule_list_find_address(const struct egress_rule_list *list,
                                                        const struct ip_address *a);

#endif
