/*
 * egress_rule.h - the rules of egress.allow and egress.deny: networks, host names, all names under
 * one.
 */
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

/* 0; -1 with `err` naming `option` ("egress.allow"), the rule and what is wrong with it. */
int egress_rule_list_init(struct egress_rule_list *list, char *const *texts, size_t count,
                          const char *option, struct failure *err);

/* A zeroed one too. */
void egress_rule_list_destroy(struct egress_rule_list *list);

/*
 * `host` of `size` bytes, without a trailing dot; case does not matter.  Never a literal
 * address.
 */
const struct egress_rule *egress_rule_list_find_host(const struct egress_rule_list *list,
                                                     const char *host, size_t size);

/* The narrowest network that holds the address. */
const struct egress_rule *egress_rule_list_find_address(const struct egress_rule_list *list,
                                                        const struct ip_address *a);

#endif
