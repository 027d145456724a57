/*
 * ip_address.h - IP addresses: the special-purpose block of one, and the addresses embedded in it.
 *
 * One form for both families: an IPv4 address is stored as its IPv4-mapped IPv6 address
 * (::ffff:0:0/96), which is the same destination to the kernel.  Every function is pure and
 * allocates nothing.
 */
#ifndef EGRESS_IP_ADDRESS_H
#define EGRESS_IP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_ADDRESS_EMBEDDED_MAX 5 /* in one address */
#define IP_ADDRESS_TEXT_SIZE    INET6_ADDRSTRLEN

struct ip_address { /* as numbers: the first and the last 64 bits */
    uint64_t high, low;
};

struct ip_network {
    struct ip_address first; /* all bits after the prefix are 0 */
    int bits;                /* of the prefix, 0 to 128; IPv4's /8 is 104 */
};

struct ip_address_block {
    struct ip_network network;
    const char *name;   /* with its article: "a loopback address" */
    const char *source; /* "RFC 1122", or whose metadata service it is */
};

/* false: not an IP address. */
bool ip_address_from_socket(struct ip_address *a, const struct sockaddr *s);

/* The forms of inet_pton(). */
bool ip_address_parse(struct ip_address *a, const char *text);

/* The forms of inet_aton(), such as 127.1. */
bool ip_address_parse_legacy(struct ip_address *a, const char *text);

/*
 * A URL's host, in any spelling that a resolver takes for an address: with a zone, or with a dot at
 * its end, which libcurl passes on as it is.  false: it is a name.
 */
bool ip_address_parse_host(struct ip_address *a, const char *host);

void ip_address_format(const struct ip_address *a, char text[IP_ADDRESS_TEXT_SIZE]);
bool ip_address_is_ipv4(const struct ip_address *a);

/*
 * The narrowest special-purpose block that contains the address; NULL: it is public unicast.  Also
 * NULL for NAT64 (64:ff9b::/96), 6to4 and ISATAP addresses, which are as public as the addresses
 * embedded in them.
 */
const struct ip_address_block *ip_address_block(const struct ip_address *a);

/*
 * The IPv4 addresses embedded in an IPv6 address, in any form; returns how many.  If a form can be
 * read in several ways, all of them.  An IPv4 address embeds nothing, so there is no deeper level.
 */
size_t ip_address_embedded_ipv4(const struct ip_address *a,
                                struct ip_address embedded[IP_ADDRESS_EMBEDDED_MAX]);

/* The last 32 bits as an IPv4 address: how a NAT64 with a /96 prefix reads it. */
struct ip_address ip_address_tail(const struct ip_address *a);

/* 64:ff9b:1::/48, RFC 8215. */
bool ip_address_is_local_nat64(const struct ip_address *a);

/* A network of fewer than 96 bits holds IPv6 addresses only: ::/0 does not contain 127.0.0.1. */
bool ip_address_is_in(const struct ip_network *n, const struct ip_address *a);

/* `a` with all bits after the first `bits` set to 0. */
struct ip_address ip_address_network_first(const struct ip_address *a, int bits);

#endif
