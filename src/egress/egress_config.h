/*
 * egress_config.h - the rules of the egress guard, as they were configured.
 *
 * Plain data: egress_new() checks and compiles it.
 */
#ifndef EGRESS_EGRESS_CONFIG_H
#define EGRESS_EGRESS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct egress_config {    /* every pointer is owned */
    char **allow, **deny; /* CIDRs, addresses, host names, "*.suffix" */
    size_t allow_count, deny_count;
    struct egress_ports {
        int *list; /* none: every port from 1 to 65535 */
        size_t count;
    } ports, proxy_ports; /* of targets; of proxies */
    bool http, https;     /* the schemes allowed */
    bool report_only;     /* log and count instead of refusing */
};

/* Both schemes, no rules. */
void egress_config_init(struct egress_config *r);

void egress_config_destroy(struct egress_config *r);

/* Append a copy of `rule` to `*list`, such as r->allow.  -1: no memory. */
int egress_config_add(char ***list, size_t *count, const char *rule);

#endif
