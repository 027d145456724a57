/*
 * address.h - IP addresses: the special-purpose block one lies in, and the ones it carries.
 *
 * One form for both families: an IPv4 address stands as its IPv4-mapped IPv6
 * address (::ffff:0:0/96), which is the same destination to the kernel.  Every
 * function is pure and allocates nothing.
 */
#ifndef SESSION_ADDRESS_H
#define SESSION_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_CARRIED_MAX 5 /* addresses that one address carries at most */
#define ADDRESS_TEXT_SIZE   INET6_ADDRSTRLEN

struct address { /* as numbers: the first and the last 64 bits */
    uint64_t high, low;
};

struct network {
    struct address first; /* all bits after the prefix are 0 */
    int bits;             /* of the prefix, 0 to 128; IPv4's /8 is 104 */
};

struct address_block {
    struct network network;
    const char *name;   /* with its article: "a loopback address" */
    const char *source; /* "RFC 1122", or whose metadata service it is */
};

bool
address_from_socket(struct address *a, const struct sockaddr *s); /* false: not an IP address */
bool address_parse(struct address *a, const char *text); /* what inet_pton takes, nothing else */
bool address_parse_legacy(struct address *a, const char *text); /* what inet_aton takes: 127.1 */
void address_format(const struct address *a, char text[ADDRESS_TEXT_SIZE]);
bool address_is_ipv4(const struct address *a);

/*
 * The special-purpose block the address lies in, the narrowest first; NULL: it is public unicast.
 * NAT64 (64:ff9b::/96), 6to4 and ISATAP addresses are as public as what they carry: NULL here.
 */
const struct address_block *address_block(const struct address *a);

/*
 * The IPv4 addresses that an IPv6 address stands for in any form there is, each written to
 * `carried`; returns how many.  Where a form can be read in several ways, all of them.
 * An IPv4 address carries nothing, so once through is all the way down.
 */
size_t address_carried(const struct address *a, struct address carried[ADDRESS_CARRIED_MAX]);

/* The last 32 bits as IPv4: what a NAT64 with a /96 prefix makes of the address. */
struct address address_tail(const struct address *a);
bool address_is_local_nat64(const struct address *a); /* 64:ff9b:1::/48, RFC 8215 */

/* A network of fewer than 96 bits is of IPv6 addresses only: ::/0 does not hold 127.0.0.1. */
bool network_has(const struct network *n, const struct address *a);
struct address network_first(const struct address *a, int bits); /* a, without its last bits */

#endif
