/*
 * egress.c - the egress guard against SSRF: which destinations may be connected to.
 *
 * A check allocates nothing and walks two short lists: it runs for every connection and for every
 * reuse of one.
 */

#include "egress/egress.h"

#include "egress/egress_rule.h"
#include "egress/ip_address.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMED "%.100s" /* a host or a rule in an error message */

struct egress {
    atomic_int refs;
    struct egress_rule_list allow, deny;
    struct egress_ports ports, proxy_ports;
    bool http, https;
    bool report_only;
};

/* -- compiling the rules ------------------------------------------------- */

static int
copy_ports(struct egress_ports *to, const struct egress_ports *from, const char *option,
           struct failure *err)
{
    if (from->count == 0)
        return 0;
    if ((to->list = calloc(from->count, sizeof *to->list)) == NULL)
        return failure_no_memory(err);
    for (; to->count < from->count; to->count++) {
        int port = from->list[to->count];

        if (port < 1 || port > EGRESS_PORT_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "%s: %d is not from 1 to %d", option, port,
                               EGRESS_PORT_MAX);
        to->list[to->count] = port;
    }
    return 0;
}

struct egress *
egress_new(const struct egress_config *rules, struct failure *err)
{
    struct egress *e = calloc(1, sizeof *e);

    if (e == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    e->refs = 1;
    e->http = rules->http;
    e->https = rules->https;
    e->report_only = rules->report_only;
    if (egress_rule_list_init(&e->allow, rules->allow, rules->allow_count, "egress.allow", err) !=
            0 ||
        egress_rule_list_init(&e->deny, rules->deny, rules->deny_count, "egress.deny", err) != 0 ||
        copy_ports(&e->ports, &rules->ports, "egress.ports", err) != 0 ||
        copy_ports(&e->proxy_ports, &rules->proxy_ports, "egress.proxy_ports", err) != 0) {
        egress_unref(e);
        return NULL;
    }
    return e;
}

struct egress *
egress_ref(struct egress *e)
{
    atomic_fetch_add(&e->refs, 1);
    return e;
}

void
egress_unref(struct egress *e)
{
    if (e == NULL || atomic_fetch_sub(&e->refs, 1) != 1)
        return;
    egress_rule_list_destroy(&e->allow);
    egress_rule_list_destroy(&e->deny);
    free(e->ports.list);
    free(e->proxy_ports.list);
    free(e);
}

bool
egress_is_report_only(const struct egress *e)
{
    return e->report_only;
}

/* -- the destination ----------------------------------------------------- */

struct target {
    const char *host; /* the name that was resolved; NULL: none, or a literal address */
    size_t host_size; /* without a trailing dot */
    struct ip_address self;
    struct ip_address embedded[IP_ADDRESS_EMBEDDED_MAX]; /* each of them must pass too */
    size_t embedded_count;
};

static void
set_host(struct target *t, const char *host)
{
    struct ip_address literal;

    t->host = NULL;
    if (host == NULL || *host == '\0' || ip_address_parse_host(&literal, host))
        return;
    t->host = host;
    t->host_size = egress_rule_host_size(host);
}

static const struct egress_rule *
find_host(const struct egress_rule_list *rules, const struct target *t)
{
    return t->host != NULL ? egress_rule_list_find_host(rules, t->host, t->host_size) : NULL;
}

/* -- error messages; each function returns false ------------------------- */

static bool
refuse_host(const char *host, const struct egress_rule *r, struct failure *err)
{
    failure_set(err, ERROR_BLOCKED, NAMED " is denied by the rule \"" NAMED "\" in egress.deny",
                host, r->text);
    return false;
}

static bool
refuse_denied(const struct target *t, const struct ip_address *embedded,
              const struct egress_rule *r, struct failure *err)
{
    char self[IP_ADDRESS_TEXT_SIZE], inner[IP_ADDRESS_TEXT_SIZE] = "";

    ip_address_format(&t->self, self);
    if (embedded != NULL)
        ip_address_format(embedded, inner);
    failure_set(err, ERROR_BLOCKED,
                "%s%s%s%s denied by the rule \"" NAMED "\" in egress.deny%s" NAMED "%s", self,
                embedded != NULL ? " embeds " : "", inner, embedded != NULL ? ", which is" : " is",
                r->text, t->host != NULL ? "; " : "", t->host != NULL ? t->host : "",
                t->host != NULL ? " resolves to it" : "");
    return false;
}

static bool
refuse_self(const struct target *t, const struct ip_address_block *b, struct failure *err)
{
    char self[IP_ADDRESS_TEXT_SIZE];

    ip_address_format(&t->self, self);
    failure_set(err, ERROR_BLOCKED,
                "%s is %s (%s): the egress guard refuses it; add it%s" NAMED
                " to egress.allow to permit it",
                self, b->name, b->source, t->host != NULL ? " or " : "",
                t->host != NULL ? t->host : "");
    return false;
}

static bool
refuse_embedded(const struct target *t, const struct ip_address *embedded,
                const struct ip_address_block *b, struct failure *err)
{
    char self[IP_ADDRESS_TEXT_SIZE], inner[IP_ADDRESS_TEXT_SIZE];

    ip_address_format(&t->self, self);
    ip_address_format(embedded, inner);
    failure_set(err, ERROR_BLOCKED,
                "%s embeds %s, %s (%s): the egress guard refuses it; add both%s" NAMED
                " to egress.allow to permit it",
                self, inner, b->name, b->source, t->host != NULL ? " or " : "",
                t->host != NULL ? t->host : "");
    return false;
}

/* -- the address --------------------------------------------------------- */

/*
 * What no rule for names allows and no rule denies: each address must be public or allowed.  An
 * embedded address counts as allowed only if the address around it is: 10.1.2.3 behind a NAT64 or
 * a tunnel need not be the 10.1.2.3 of the rule.
 */
static bool
allows_by_address(const struct egress *e, struct target *t, struct failure *err)
{
    const struct egress_rule *named = egress_rule_list_find_address(&e->allow, &t->self);
    const struct ip_address_block *b;

    if (named != NULL && named->network.bits >= 96 && ip_address_is_local_nat64(&t->self)) {
        t->embedded[0] = ip_address_tail(&t->self); /* the rule tells that its prefix is a /96 */
        t->embedded_count = 1;
    }
    for (size_t i = 0; i < t->embedded_count; i++) {
        b = ip_address_block(&t->embedded[i]);
        if (b != NULL &&
            (named == NULL || egress_rule_list_find_address(&e->allow, &t->embedded[i]) == NULL))
            return refuse_embedded(t, &t->embedded[i], b, err);
    }
    b = named != NULL ? NULL : ip_address_block(&t->self);
    return b == NULL || refuse_self(t, b, err);
}

static bool
allows_target(const struct egress *e, struct target *t, struct failure *err)
{
    const struct egress_rule *r;

    t->embedded_count = ip_address_embedded_ipv4(&t->self, t->embedded);
    if ((r = find_host(&e->deny, t)) != NULL)
        return refuse_host(t->host, r, err);
    if ((r = egress_rule_list_find_address(&e->deny, &t->self)) != NULL)
        return refuse_denied(t, NULL, r, err);
    for (size_t i = 0; i < t->embedded_count; i++)
        if ((r = egress_rule_list_find_address(&e->deny, &t->embedded[i])) != NULL)
            return refuse_denied(t, &t->embedded[i], r, err);
    return find_host(&e->allow, t) != NULL || allows_by_address(e, t, err);
}

bool
egress_allows_address(const struct egress *e, const char *host, const struct sockaddr *address,
                      struct failure *err)
{
    struct target t;

    if (address == NULL || !ip_address_from_socket(&t.self, address)) {
        failure_set(err, ERROR_BLOCKED,
                    "not an IPv4 or IPv6 address (family %d): the egress guard refuses it, and "
                    "no option permits it",
                    address != NULL ? address->sa_family : AF_UNSPEC);
        return false;
    }
    set_host(&t, host);
    return allows_target(e, &t, err);
}

/* -- the URL ------------------------------------------------------------- */

static bool
allows_scheme(const struct egress *e, const char *scheme, const char *host, struct failure *err)
{
    bool http = strcasecmp(scheme, "http") == 0, https = strcasecmp(scheme, "https") == 0;

    if ((http && e->http) || (https && e->https))
        return true;
    if (http || https)
        failure_set(err, ERROR_BLOCKED,
                    "%s to " NAMED " is refused: the egress guard's egress.schemes does not list "
                    "%s; add it there to permit it",
                    scheme, host, scheme);
    else
        failure_set(err, ERROR_BLOCKED,
                    "\"%.32s\" to " NAMED
                    " is refused: the egress guard allows http and https only, "
                    "and egress.schemes cannot add others",
                    scheme, host);
    return false;
}

static bool
allows_port(const struct egress_ports *ports, const char *option, const char *host, int port,
            struct failure *err)
{
    for (size_t i = 0; i < ports->count; i++)
        if (ports->list[i] == port)
            return true;
    if (ports->count == 0 && port >= 1 && port <= EGRESS_PORT_MAX)
        return true;
    if (port < 1 || port > EGRESS_PORT_MAX)
        failure_set(err, ERROR_BLOCKED, "port %d of " NAMED " is not from 1 to %d", port, host,
                    EGRESS_PORT_MAX);
    else
        failure_set(err, ERROR_BLOCKED,
                    "port %d of " NAMED " is refused: the egress guard's %s does not "
                    "list it; add it there to permit it",
                    port, host, option);
    return false;
}

bool
egress_allows_url(const struct egress *e, const char *scheme, const char *host, int port,
                  struct failure *err)
{
    struct target t;
    const struct egress_rule *r;

    if (!allows_scheme(e, scheme, host, err) ||
        !allows_port(&e->ports, "egress.ports", host, port, err))
        return false;
    set_host(&t, host);
    if ((r = find_host(&e->deny, &t)) != NULL)
        return refuse_host(host, r, err);
    return !ip_address_parse_host(&t.self, host) || allows_target(e, &t, err);
}

/* -- proxies --------------------------------------------------------------- */

bool
egress_allows_proxy(const struct egress *e, const char *host, int port, struct failure *err)
{
    return allows_port(&e->proxy_ports, "egress.proxy_ports", host, port, err);
}

bool
egress_allows_behind_proxy(const struct egress *e, const char *host, bool resolves,
                           struct failure *err)
{
    struct target t;

    set_host(&t, host);
    if (t.host == NULL)
        return true;
    if (egress_rule_is_localhost(host))
        return ip_address_parse(&t.self, "127.0.0.1") && allows_target(e, &t, err);
    if (!resolves)
        failure_set(err, ERROR_BLOCKED,
                    NAMED " would be resolved by a proxy that the request names, where the egress "
                          "guard cannot check the address; name the proxy in the session's "
                          "configuration, or set the session's proxy_resolves, to permit it",
                    host);
    return resolves;
}

/* -- redirects ------------------------------------------------------------- */

/* NULL: it and each address in it are public; else the block that is not. */
static const struct ip_address_block *
find_block(const struct ip_address *a)
{
    struct ip_address embedded[IP_ADDRESS_EMBEDDED_MAX];
    size_t n = ip_address_embedded_ipv4(a, embedded);
    const struct ip_address_block *b = ip_address_block(a);

    for (size_t i = 0; i < n && b == NULL; i++)
        b = ip_address_block(&embedded[i]);
    return b;
}

static bool
allows_public(const struct ip_address *a, struct failure *err)
{
    const struct ip_address_block *b = find_block(a);
    char text[IP_ADDRESS_TEXT_SIZE];

    if (b == NULL)
        return true;
    ip_address_format(a, text);
    failure_set(err, ERROR_BLOCKED,
                "%s is or embeds %s (%s): redirects_public_only permits redirects to public "
                "addresses only",
                text, b->name, b->source);
    return false;
}

bool
egress_allows_public_host(const char *host, struct failure *err)
{
    struct ip_address a;

    return !ip_address_parse_host(&a, host) || allows_public(&a, err);
}

bool
egress_allows_public_address(const struct sockaddr *address, struct failure *err)
{
    struct ip_address a;

    if (ip_address_from_socket(&a, address))
        return allows_public(&a, err);
    failure_set(err, ERROR_BLOCKED, "redirects_public_only: not an IPv4 or IPv6 address");
    return false;
}
