/*
 * ip_address.c - IP addresses: the special-purpose block of one, and the addresses embedded in it.
 *
 * The blocks are those of the IANA IPv4 and IPv6 Special-Purpose Address
 * Registries (https://www.iana.org/assignments/iana-ipv4-special-registry and
 * iana-ipv6-special-registry, as of 2025-10-09), together with
 * multicast, blocks that were deprecated since, and the metadata services of clouds.  Blocks that
 * the registries call globally reachable are here too: they are anycast services, answered by the
 * nearest node, which may be one of our own network.
 */

#include "egress/ip_address.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_BYTES 256                      /* more than a host name has, RFC 1035 section 2.3.4 */
#define IPV4_TAG   UINT64_C(0xffff00000000) /* bits 80 to 95 of ::ffff:0:0/96 */

#define GROUPS(a, b, c, d) \
    ((uint64_t)(a) << 48 | (uint64_t)(b) << 32 | (uint64_t)(c) << 16 | (uint64_t)(d))
#define V4(a, b, c, d, bits)                                                            \
    {                                                                                   \
        { 0, IPV4_TAG | (uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d) }, 96 + (bits) \
    }
#define V6(a, b, c, d, last, bits)         \
    {                                      \
        { GROUPS(a, b, c, d), last }, bits \
    }

/* Narrower blocks come before wider ones: the first that matches is named. */
static const struct ip_address_block ipv4_blocks[] = {
    { V4(0, 0, 0, 0, 32), "the unspecified address", "RFC 1122" },
    { V4(0, 0, 0, 0, 8), "a \"this network\" address", "RFC 791" },
    { V4(10, 0, 0, 0, 8), "a private address", "RFC 1918" },
    { V4(100, 100, 100, 200, 32), "a cloud metadata address", "Alibaba Cloud" },
    { V4(100, 64, 0, 0, 10), "a shared (CGNAT) address", "RFC 6598" },
    { V4(127, 0, 0, 0, 8), "a loopback address", "RFC 1122" },
    { V4(168, 63, 129, 16, 32), "a cloud metadata address", "Azure" }, /* looks public */
    { V4(169, 254, 169, 254, 32), "a cloud metadata address", "AWS, Azure, Google and others" },
    { V4(169, 254, 170, 2, 32), "a cloud metadata address", "AWS ECS" },
    { V4(169, 254, 170, 23, 32), "a cloud metadata address", "AWS EKS" },
    { V4(169, 254, 0, 0, 16), "a link-local address", "RFC 3927" },
    { V4(172, 16, 0, 0, 12), "a private address", "RFC 1918" },
    { V4(192, 0, 0, 192, 32), "a cloud metadata address", "Oracle Cloud" },
    { V4(192, 0, 0, 0, 24), "an address reserved for IETF protocols", "RFC 6890" },
    { V4(192, 0, 2, 0, 24), "a documentation address", "RFC 5737" },
    { V4(192, 31, 196, 0, 24), "an AS112 anycast address", "RFC 7535" },
    { V4(192, 52, 193, 0, 24), "an AMT anycast address", "RFC 7450" },
    { V4(192, 80, 8, 124, 32), "a cloud metadata address", "Equinix Metal" }, /* looks public */
    { V4(192, 88, 99, 0, 24), "a 6to4 relay anycast address", "RFC 7526" },
    { V4(192, 168, 0, 0, 16), "a private address", "RFC 1918" },
    { V4(192, 175, 48, 0, 24), "an AS112 anycast address", "RFC 7534" },
    { V4(198, 18, 0, 0, 15), "a benchmarking address", "RFC 2544" },
    { V4(198, 51, 100, 0, 24), "a documentation address", "RFC 5737" },
    { V4(203, 0, 113, 0, 24), "a documentation address", "RFC 5737" },
    { V4(224, 0, 0, 0, 4), "a multicast address", "RFC 5771" },
    { V4(255, 255, 255, 255, 32), "the limited broadcast address", "RFC 919" },
    { V4(240, 0, 0, 0, 4), "a reserved address", "RFC 1112" },
};

static const struct ip_address_block ipv6_blocks[] = {
    { V6(0, 0, 0, 0, 0, 128), "the unspecified address", "RFC 4291" },
    { V6(0, 0, 0, 0, 1, 128), "a loopback address", "RFC 4291" },
    { V6(0, 0, 0, 0, 0, 96), "an IPv4-compatible address", "RFC 4291" },
    { V6(0, 0, 0, 0, GROUPS(0xffff, 0, 0, 0), 96), "an IPv4-translated address", "RFC 2765" },
    { V6(0x64, 0xff9b, 1, 0, 0, 48), "a local-use NAT64 address", "RFC 8215" },
    { V6(0x100, 0, 0, 0, 0, 64), "a discard-only address", "RFC 6666" },
    { V6(0x100, 0, 0, 1, 0, 64), "a dummy address", "RFC 9780" },
    { V6(0x2001, 0, 0, 0, 0, 32), "a Teredo address", "RFC 4380" },
    { V6(0x2001, 1, 0, 0, 1, 128), "the PCP anycast address", "RFC 7723" },
    { V6(0x2001, 1, 0, 0, 2, 128), "the TURN anycast address", "RFC 8155" },
    { V6(0x2001, 1, 0, 0, 3, 128), "the DNS-SD registration anycast address", "RFC 9665" },
    { V6(0x2001, 2, 0, 0, 0, 48), "a benchmarking address", "RFC 5180" },
    { V6(0x2001, 3, 0, 0, 0, 32), "an AMT anycast address", "RFC 7450" },
    { V6(0x2001, 4, 0x112, 0, 0, 48), "an AS112 anycast address", "RFC 7535" },
    { V6(0x2001, 0x10, 0, 0, 0, 28), "an ORCHID, not an address", "RFC 4843" },
    { V6(0x2001, 0x20, 0, 0, 0, 28), "an ORCHIDv2, not an address", "RFC 7343" },
    { V6(0x2001, 0x30, 0, 0, 0, 28), "a drone's entity tag, not an address", "RFC 9374" },
    { V6(0x2001, 0, 0, 0, 0, 23), "an address reserved for IETF protocols", "RFC 2928" },
    { V6(0x2001, 0xdb8, 0, 0, 0, 32), "a documentation address", "RFC 3849" },
    { V6(0x2620, 0x4f, 0x8000, 0, 0, 48), "an AS112 anycast address", "RFC 7534" },
    { V6(0x3ffe, 0, 0, 0, 0, 16), "a 6bone address", "RFC 3701" },
    { V6(0x3fff, 0, 0, 0, 0, 20), "a documentation address", "RFC 9637" },
    { V6(0x5f00, 0, 0, 0, 0, 16), "a segment routing (SRv6) address", "RFC 9602" },
    { V6(0xfd00, 0xec2, 0, 0, 0x254, 128), "a cloud metadata address", "AWS" },
    { V6(0xfd00, 0xec2, 0, 0, 0x23, 128), "a cloud metadata address", "AWS EKS" },
    { V6(0xfd20, 0xce, 0, 0, 0x254, 128), "a cloud metadata address", "Google Cloud" },
    { V6(0xfc00, 0, 0, 0, 0, 7), "a unique local address", "RFC 4193" },
    { V6(0xfe80, 0, 0, 0, 0, 10), "a link-local address", "RFC 4291" },
    { V6(0xfec0, 0, 0, 0, 0, 10), "a site-local address", "RFC 3879" },
    { V6(0xff00, 0, 0, 0, 0, 8), "a multicast address", "RFC 4291" },
};

static const struct ip_address_block outside = { V6(0, 0, 0, 0, 0, 0),
                                                 "an address outside the public 2000::/3",
                                                 "RFC 4291" };
static const struct ip_network global_unicast = V6(0x2000, 0, 0, 0, 0, 3);
static const struct ip_network this_network = V4(0, 0, 0, 0, 8);
static const struct ip_network compatible = V6(0, 0, 0, 0, 0, 96);
static const struct ip_network translated = V6(0, 0, 0, 0, GROUPS(0xffff, 0, 0, 0), 96);
static const struct ip_network nat64 = V6(0x64, 0xff9b, 0, 0, 0, 96);
static const struct ip_network local_nat64 = V6(0x64, 0xff9b, 1, 0, 0, 48);
static const struct ip_network teredo = V6(0x2001, 0, 0, 0, 0, 32);
static const struct ip_network six_to_four = V6(0x2002, 0, 0, 0, 0, 16);

/* -- networks ------------------------------------------------------------ */

static uint64_t
mask(int bits)
{
    return bits <= 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

struct ip_address
ip_address_network_first(const struct ip_address *a, int bits)
{
    return (struct ip_address){ a->high & mask(bits), a->low & mask(bits - 64) };
}

bool
ip_address_is_in(const struct ip_network *n, const struct ip_address *a)
{
    struct ip_address first = ip_address_network_first(a, n->bits);

    return first.high == n->first.high && first.low == n->first.low &&
           (n->bits >= 96 || !ip_address_is_ipv4(a));
}

/* -- to and from text and sockets ---------------------------------------- */

static struct ip_address
from_ipv4(uint32_t host_order)
{
    return (struct ip_address){ 0, IPV4_TAG | host_order };
}

static struct ip_address
from_bytes(const unsigned char bytes[16])
{
    struct ip_address a = { 0, 0 };

    for (int i = 0; i < 8; i++) {
        a.high = a.high << 8 | bytes[i];
        a.low = a.low << 8 | bytes[i + 8];
    }
    return a;
}

bool
ip_address_is_ipv4(const struct ip_address *a)
{
    return a->high == 0 && a->low >> 32 == IPV4_TAG >> 32;
}

bool
ip_address_from_socket(struct ip_address *a, const struct sockaddr *s)
{
    if (s->sa_family == AF_INET) {
        struct sockaddr_in four;

        memcpy(&four, s, sizeof four);
        *a = from_ipv4(ntohl(four.sin_addr.s_addr));
        return true;
    }
    if (s->sa_family == AF_INET6) {
        struct sockaddr_in6 six;

        memcpy(&six, s, sizeof six);
        *a = from_bytes(six.sin6_addr.s6_addr);
        return true;
    }
    return false;
}

bool
ip_address_parse(struct ip_address *a, const char *text)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, text, &four) == 1) {
        *a = from_ipv4(ntohl(four.s_addr));
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) == 1) {
        *a = from_bytes(six.s6_addr);
        return true;
    }
    return false;
}

bool
ip_address_parse_legacy(struct ip_address *a, const char *text)
{
    struct in_addr four;

    if (inet_aton(text, &four) == 0)
        return false;
    *a = from_ipv4(ntohl(four.s_addr));
    return true;
}

bool
ip_address_parse_host(struct ip_address *a, const char *host)
{
    char text[HOST_BYTES] = "";
    size_t n = strcspn(host, "%"); /* a zone */

    for (bool zone = host[n] != '\0'; !zone && n > 1 && host[n - 1] == '.';)
        n--;
    if (n >= sizeof text)
        return false;
    memcpy(text, host, n);
    return ip_address_parse(a, text) || ip_address_parse_legacy(a, text);
}

void
ip_address_format(const struct ip_address *a, char text[IP_ADDRESS_TEXT_SIZE])
{
    struct in_addr four = { htonl((uint32_t)a->low) };
    unsigned char bytes[16];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(a->high >> (56 - 8 * i));
        bytes[i + 8] = (unsigned char)(a->low >> (56 - 8 * i));
    }
    if (ip_address_is_ipv4(a))
        inet_ntop(AF_INET, &four, text, IP_ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, bytes, text, IP_ADDRESS_TEXT_SIZE);
}

/* -- special-purpose blocks ---------------------------------------------- */

static const struct ip_address_block *
find(const struct ip_address_block *blocks, size_t count, const struct ip_address *a)
{
    for (size_t i = 0; i < count; i++)
        if (ip_address_is_in(&blocks[i].network, a))
            return &blocks[i];
    return NULL;
}

const struct ip_address_block *
ip_address_block(const struct ip_address *a)
{
    const struct ip_address_block *b;

    if (ip_address_is_ipv4(a))
        return find(ipv4_blocks, sizeof ipv4_blocks / sizeof ipv4_blocks[0], a);
    b = find(ipv6_blocks, sizeof ipv6_blocks / sizeof ipv6_blocks[0], a);
    if (b != NULL || ip_address_is_in(&global_unicast, a) || ip_address_is_in(&nat64, a))
        return b;
    return &outside;
}

/* -- embedded addresses -------------------------------------------------- */

struct ip_address
ip_address_tail(const struct ip_address *a)
{
    return from_ipv4((uint32_t)a->low);
}

bool
ip_address_is_local_nat64(const struct ip_address *a)
{
    return ip_address_is_in(&local_nat64, a);
}

/*
 * RFC 6052 section 2.2: after a prefix of 48, 56 or 64 bits the IPv4 address follows at once and
 * skips bits 64 to 71.  The length of the translator's prefix is unknown here, so every reading
 * counts.  The right one leaves leading zeros to the others: readings in 0.0.0.0/8, which no
 * translator forwards, are left out unless there is no other.
 */
static size_t
embedded_in_local_nat64(const struct ip_address *a, struct ip_address *embedded)
{
    const struct ip_address readings[] = {
        ip_address_tail(a),
        from_ipv4((uint32_t)(a->high << 16 | (a->low >> 40 & 0xffff))),   /* /48 */
        from_ipv4((uint32_t)(a->high << 24 | (a->low >> 32 & 0xffffff))), /* /56 */
        from_ipv4((uint32_t)(a->low >> 24)),                              /* /64 */
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        if (!ip_address_is_in(&this_network, &readings[i]))
            embedded[n++] = readings[i];
    if (n == 0)
        embedded[n++] = readings[0];
    return n;
}

/* RFC 5214 section 6.1: 00-00-5E-FE before the IPv4 address; its "u" and "g" bits may be set. */
static bool
is_isatap(const struct ip_address *a)
{
    return (a->low >> 32 & 0xfcffffff) == 0x5efe;
}

size_t
ip_address_embedded_ipv4(const struct ip_address *a,
                         struct ip_address embedded[IP_ADDRESS_EMBEDDED_MAX])
{
    size_t n = 0;

    if (ip_address_is_ipv4(a))
        return 0;
    if (ip_address_is_in(&local_nat64, a))
        n = embedded_in_local_nat64(a, embedded);
    else if (ip_address_is_in(&compatible, a) && a->low > 1) /* :: and ::1 are themselves */
        embedded[n++] = ip_address_tail(a);
    else if (ip_address_is_in(&translated, a) || ip_address_is_in(&nat64, a))
        embedded[n++] = ip_address_tail(a);
    else if (ip_address_is_in(&six_to_four, a))
        embedded[n++] = from_ipv4((uint32_t)(a->high >> 16));
    else if (ip_address_is_in(&teredo, a)) {
        embedded[n++] = from_ipv4((uint32_t)a->high); /* the server */
        embedded[n++] = from_ipv4(~(uint32_t)a->low); /* the client */
    }
    if (is_isatap(a))
        embedded[n++] = ip_address_tail(a);
    return n;
}
