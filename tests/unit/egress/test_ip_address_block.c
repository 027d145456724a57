/*
 * test_ip_address_block.c - the special-purpose block an IP address lies in.
 *
 * The table walks the IANA registries: the first and the last address of each
 * block, and the one before and the one after.
 */

#include "egress/ip_address.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *address, *name; /* the beginning of the block's name; NULL: public */
} points[] = {
    /* IPv4 */
    { "0.0.0.0", "the unspecified" },
    { "0.0.0.1", "a \"this network\"" },
    { "0.255.255.255", "a \"this network\"" },
    { "1.0.0.0", NULL },
    { "9.255.255.255", NULL },
    { "10.0.0.0", "a private" },
    { "10.255.255.255", "a private" },
    { "11.0.0.0", NULL },
    { "100.63.255.255", NULL },
    { "100.64.0.0", "a shared (CGNAT)" },
    { "100.127.255.255", "a shared (CGNAT)" },
    { "100.128.0.0", NULL },
    { "100.100.100.199", "a shared (CGNAT)" },
    { "100.100.100.200", "a cloud metadata" },
    { "100.100.100.201", "a shared (CGNAT)" },
    { "126.255.255.255", NULL },
    { "127.0.0.0", "a loopback" },
    { "127.255.255.255", "a loopback" },
    { "128.0.0.0", NULL },
    { "168.63.129.15", NULL },
    { "168.63.129.16", "a cloud metadata" },
    { "168.63.129.17", NULL },
    { "169.253.255.255", NULL },
    { "169.254.0.0", "a link-local" },
    { "169.254.255.255", "a link-local" },
    { "169.255.0.0", NULL },
    { "169.254.169.253", "a link-local" },
    { "169.254.169.254", "a cloud metadata" },
    { "169.254.169.255", "a link-local" },
    { "169.254.170.1", "a link-local" },
    { "169.254.170.2", "a cloud metadata" },
    { "169.254.170.3", "a link-local" },
    { "169.254.170.22", "a link-local" },
    { "169.254.170.23", "a cloud metadata" },
    { "169.254.170.24", "a link-local" },
    { "172.15.255.255", NULL },
    { "172.16.0.0", "a private" },
    { "172.31.255.255", "a private" },
    { "172.32.0.0", NULL },
    { "191.255.255.255", NULL },
    { "192.0.0.0", "an address reserved for IETF" },
    { "192.0.0.255", "an address reserved for IETF" },
    { "192.0.1.0", NULL },
    { "192.0.0.191", "an address reserved for IETF" },
    { "192.0.0.192", "a cloud metadata" },
    { "192.0.0.193", "an address reserved for IETF" },
    { "192.0.1.255", NULL },
    { "192.0.2.0", "a documentation" },
    { "192.0.2.255", "a documentation" },
    { "192.0.3.0", NULL },
    { "192.31.195.255", NULL },
    { "192.31.196.0", "an AS112" },
    { "192.31.196.255", "an AS112" },
    { "192.31.197.0", NULL },
    { "192.52.192.255", NULL },
    { "192.52.193.0", "an AMT" },
    { "192.52.193.255", "an AMT" },
    { "192.52.194.0", NULL },
    { "192.80.8.123", NULL },
    { "192.80.8.124", "a cloud metadata" },
    { "192.80.8.125", NULL },
    { "192.88.98.255", NULL },
    { "192.88.99.0", "a 6to4 relay" },
    { "192.88.99.255", "a 6to4 relay" },
    { "192.88.100.0", NULL },
    { "192.167.255.255", NULL },
    { "192.168.0.0", "a private" },
    { "192.168.255.255", "a private" },
    { "192.169.0.0", NULL },
    { "192.175.47.255", NULL },
    { "192.175.48.0", "an AS112" },
    { "192.175.48.255", "an AS112" },
    { "192.175.49.0", NULL },
    { "198.17.255.255", NULL },
    { "198.18.0.0", "a benchmarking" },
    { "198.19.255.255", "a benchmarking" },
    { "198.20.0.0", NULL },
    { "198.51.99.255", NULL },
    { "198.51.100.0", "a documentation" },
    { "198.51.100.255", "a documentation" },
    { "198.51.101.0", NULL },
    { "203.0.112.255", NULL },
    { "203.0.113.0", "a documentation" },
    { "203.0.113.255", "a documentation" },
    { "203.0.114.0", NULL },
    { "223.255.255.255", NULL },
    { "224.0.0.0", "a multicast" },
    { "239.255.255.255", "a multicast" },
    { "240.0.0.0", "a reserved" },
    { "255.255.255.255", "the limited broadcast" },
    { "255.255.255.254", "a reserved" },

    /* IPv6 */
    { "::", "the unspecified" },
    { "::1", "a loopback" },
    { "::2", "an IPv4-compatible" },
    { "::ffff:ffff", "an IPv4-compatible" },
    { "::1:0:0", "an address outside" },
    { "::fffe:ffff:ffff:ffff", "an address outside" },
    { "::ffff:0:0:0", "an IPv4-translated" },
    { "::ffff:0:ffff:ffff", "an IPv4-translated" },
    { "::ffff:1:0:0", "an address outside" },
    { "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "64:ff9b::", NULL },
    { "64:ff9b::ffff:ffff", NULL },
    { "64:ff9b::1:0:0", "an address outside" },
    { "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "64:ff9b:1::", "a local-use NAT64" },
    { "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "a local-use NAT64" },
    { "64:ff9b:2::", "an address outside" },
    { "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "100::", "a discard-only" },
    { "100::ffff:ffff:ffff:ffff", "a discard-only" },
    { "100:0:0:1::", "a dummy" },
    { "100::1:ffff:ffff:ffff:ffff", "a dummy" },
    { "100:0:0:2::", "an address outside" },
    { "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "2000::", NULL },
    { "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "4000::", "an address outside" },
    { "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "2001::", "a Teredo" },
    { "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "an address reserved for IETF" },
    { "2001:200::", NULL },
    { "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "a Teredo" },
    { "2001:1::", "an address reserved for IETF" },
    { "2001:1::1", "the PCP" },
    { "2001:1::2", "the TURN" },
    { "2001:1::3", "the DNS-SD" },
    { "2001:1::4", "an address reserved for IETF" },
    { "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "an address reserved for IETF" },
    { "2001:2::", "a benchmarking" },
    { "2001:2:0:ffff:ffff:ffff:ffff:ffff", "a benchmarking" },
    { "2001:2:1::", "an address reserved for IETF" },
    { "2001:2:ffff:ffff:ffff:ffff:ffff:ffff", "an address reserved for IETF" },
    { "2001:3::", "an AMT" },
    { "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "an AMT" },
    { "2001:4::", "an address reserved for IETF" },
    { "2001:4:111:ffff:ffff:ffff:ffff:ffff", "an address reserved for IETF" },
    { "2001:4:112::", "an AS112" },
    { "2001:4:112:ffff:ffff:ffff:ffff:ffff", "an AS112" },
    { "2001:4:113::", "an address reserved for IETF" },
    { "2001:f:ffff:ffff:ffff:ffff:ffff:ffff", "an address reserved for IETF" },
    { "2001:10::", "an ORCHID," },
    { "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "an ORCHID," },
    { "2001:20::", "an ORCHIDv2" },
    { "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "an ORCHIDv2" },
    { "2001:30::", "a drone" },
    { "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "a drone" },
    { "2001:40::", "an address reserved for IETF" },
    { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "2001:db8::", "a documentation" },
    { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "a documentation" },
    { "2001:db9::", NULL },
    { "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "2002::", NULL },
    { "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "2003::", NULL },
    { "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "2620:4f:8000::", "an AS112" },
    { "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "an AS112" },
    { "2620:4f:8001::", NULL },
    { "3ffd:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { "3ffe::", "a 6bone" },
    { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a 6bone" },
    { "3fff::", "a documentation" },
    { "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "a documentation" },
    { "3fff:1000::", NULL },
    { "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "5f00::", "a segment" },
    { "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a segment" },
    { "5f01::", "an address outside" },
    { "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "fc00::", "a unique local" },
    { "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a unique local" },
    { "fe00::", "an address outside" },
    { "fd00:ec2::22", "a unique local" },
    { "fd00:ec2::23", "a cloud metadata" },
    { "fd00:ec2::24", "a unique local" },
    { "fd00:ec2::253", "a unique local" },
    { "fd00:ec2::254", "a cloud metadata" },
    { "fd00:ec2::255", "a unique local" },
    { "fd20:ce::253", "a unique local" },
    { "fd20:ce::254", "a cloud metadata" },
    { "fd20:ce::255", "a unique local" },
    { "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "an address outside" },
    { "fe80::", "a link-local" },
    { "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a link-local" },
    { "fec0::", "a site-local" },
    { "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a site-local" },
    { "ff00::", "a multicast" },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a multicast" },

    /* public ones that people use */
    { "1.1.1.1", NULL },
    { "8.8.8.8", NULL },
    { "100.63.0.1", NULL },
    { "2001:4860:4860::8888", NULL },
    { "2606:4700:4700::1111", NULL },
    { "2a00:1450:4001:82a::200e", NULL },
};

Test(address, lies_in_its_block_up_to_the_last_address)
{
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct ip_address a = { 0, 0 };
        const struct ip_address_block *b;
        const char *name;
        const char *expected = points[i].name != NULL ? points[i].name : "public";

        cr_assert(ip_address_parse(&a, points[i].address), "%s", points[i].address);
        b = ip_address_block(&a);
        name = b != NULL ? b->name : "public";
        cr_expect(strncmp(name, expected, strlen(expected)) == 0, "%s: %s, expected %s",
                  points[i].address, name, expected);
        cr_expect(b == NULL || b->source[0] != '\0', "%s", points[i].address);
    }
}

Test(address, has_the_source_of_its_block_in_the_manual)
{
    static char page[32768];
    FILE *f = fopen("docs/egress.md", "r");
    size_t size;

    cr_assert_not_null(f, "docs/egress.md: run this from the top of the source tree");
    size = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    cr_assert_lt(size, sizeof page - 1);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct ip_address a = { 0, 0 };
        const struct ip_address_block *b;

        cr_assert(ip_address_parse(&a, points[i].address));
        b = ip_address_block(&a);
        if (b != NULL && strncmp(b->source, "RFC ", 4) == 0)
            cr_expect_not_null(strstr(page, b->source + 4), "%s", b->source);
        else if (b != NULL) /* a metadata service: the address itself is in the table */
            cr_expect_not_null(strstr(page, points[i].address), "%s", points[i].address);
    }
}
