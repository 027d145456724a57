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
    int *ports;
    size_t port_count;
    bool http, https;
    bool report_only;
};

/* -- compiling the rules ------------------------------------------------- */

static int
copy_ports(struct egress *e, const struct egress_config *rules, struct failure *err)
{
    if (rules->port_count == 0)
        return 0;
    if ((e->ports = calloc(rules->port_count, sizeof *e->ports)) == NULL)
        return failure_no_memory(err);
    for (; e->port_count < rules->port_count; e->port_count++) {
        int port = rules->ports[e->port_count];

        if (port < 1 || port > EGRESS_PORT_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "egress.ports: %d is not from 1 to %d", port,
                               EGRESS_PORT_MAX);
        e->ports[e->port_count] = port;
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
        copy_ports(e, rules, err) != 0) {
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
    free(e->ports);
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

static size_t
size_without_dot(const char *host)
{
    size_t n = strlen(host);

    return n > 1 && host[n - 1] == '.' ? n - 1 : n;
}

/*
 * A zone or a trailing dot is not part of an address, but does not make it a name either.  Every
 * resolver takes 127.1 and the like for addresses; so does a proxy's, which connects where we
 * cannot check a socket.  libcurl passes "127.1." on as it is.
 */
static bool
parse_literal(struct ip_address *a, const char *host)
{
    char text[RULE_NAME_MAX + 1] = "";
    const char *zone = strchr(host, '%');
    size_t n = zone != NULL ? (size_t)(zone - host) : size_without_dot(host);

    if (n >= sizeof text)
        return false;
    memcpy(text, host, n);
    return ip_address_parse(a, text) || ip_address_parse_legacy(a, text);
}

static void
set_host(struct target *t, const char *host)
{
    struct ip_address literal;

    t->host = NULL;
    if (host == NULL || *host == '\0' || parse_literal(&literal, host))
        return;
    t->host = host;
    t->host_size = size_without_dot(host);
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
allows_port(const struct egress *e, const char *host, int port, struct failure *err)
{
    for (size_t i = 0; i < e->port_count; i++)
        if (e->ports[i] == port)
            return true;
    if (e->port_count == 0 && port >= 1 && port <= EGRESS_PORT_MAX)
        return true;
    if (port < 1 || port > EGRESS_PORT_MAX)
        failure_set(err, ERROR_BLOCKED, "port %d of " NAMED " is not from 1 to %d", port, host,
                    EGRESS_PORT_MAX);
    else
        failure_set(err, ERROR_BLOCKED,
                    "port %d of " NAMED " is refused: the egress guard's egress.ports does not "
                    "list it; add it there to permit it",
                    port, host);
    return false;
}

bool
egress_allows_url(const struct egress *e, const char *scheme, const char *host, int port,
                  struct failure *err)
{
    struct target t;
    const struct egress_rule *r;

    if (!allows_scheme(e, scheme, host, err) || !allows_port(e, host, port, err))
        return false;
    set_host(&t, host);
    if ((r = find_host(&e->deny, &t)) != NULL)
        return refuse_host(host, r, err);
    return !parse_literal(&t.self, host) || allows_target(e, &t, err);
}
