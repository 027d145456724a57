/*
 * test_ip_address.c - IP addresses: text, networks, and the addresses embedded in one.
 */

#include "egress/ip_address.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ip_address
read_address(const char *text)
{
    struct ip_address a = { 0, 0 };

    cr_assert(ip_address_parse(&a, text), "%s", text);
    return a;
}

/* -- text and sockets ---------------------------------------------------- */

Test(address, is_written_as_it_is_read)
{
    static const char *const texts[] = { "0.0.0.0", "127.0.0.1", "255.255.255.255",
                                         "::",      "::1",       "2001:db8::1:0:0:1",
                                         "fe80::1", "ffff::ffff" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ip_address a = read_address(texts[i]);
        char text[IP_ADDRESS_TEXT_SIZE];

        ip_address_format(&a, text);
        cr_expect_str_eq(text, texts[i]);
    }
}

Test(address, takes_only_what_inet_pton_takes)
{
    static const char *const texts[] = {
        "",           "127.1",         "0177.0.0.1", "0x7f.0.0.1",   "2130706433", "127.0.0.1.",
        "127.0.0.01", "127.0.0.256",   " 127.0.0.1", "127.0.0.1 ",   "[::1]",      "::1%lo",
        "::1::",      "1:2:3:4:5:6:7", ":::",        "::ffff:1.2.3", "12345::",    "::g",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ip_address a;

        cr_expect_not(ip_address_parse(&a, texts[i]), "%s", texts[i]);
    }
}

Test(address, mapped_is_the_same_as_ipv4)
{
    struct ip_address plain = read_address("10.1.2.3"), mapped = read_address("::ffff:10.1.2.3");
    char text[IP_ADDRESS_TEXT_SIZE];

    ip_address_format(&mapped, text);
    cr_assert_eq(plain.high, mapped.high);
    cr_assert_eq(plain.low, mapped.low);
    cr_assert_str_eq(text, "10.1.2.3");
}

Test(address, comes_from_sockets_of_both_families_and_no_other)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(0x7f000001) } };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr other = { .sa_family = AF_UNIX };
    struct ip_address a;

    cr_assert(ip_address_from_socket(&a, (struct sockaddr *)&four));
    cr_assert(ip_address_is_ipv4(&a) && (uint32_t)a.low == 0x7f000001);
    cr_assert(ip_address_from_socket(&a, (struct sockaddr *)&six));
    cr_assert(a.high == 0 && a.low == 1);
    cr_assert_not(ip_address_from_socket(&a, &other));
}

/* -- networks ------------------------------------------------------------ */

Test(network, holds_exactly_its_prefix_at_every_length)
{
    struct ip_address all = { UINT64_MAX, UINT64_MAX };

    for (int bits = 0; bits <= 128; bits++) {
        struct ip_network n = { ip_address_network_first(&all, bits), bits };
        struct ip_address last_in = all, first_out = all;
        int flipped = 127 - bits; /* the first bit behind the prefix, counted from the end */

        if (bits < 128)
            *(flipped < 64 ? &last_in.low : &last_in.high) ^= UINT64_C(1) << flipped % 64;
        cr_expect(ip_address_is_in(&n, &last_in), "/%d", bits);
        if (bits > 0) {
            *(flipped + 1 < 64 ? &first_out.low : &first_out.high) ^= UINT64_C(1)
                                                                      << (flipped + 1) % 64;
            cr_expect_not(ip_address_is_in(&n, &first_out), "/%d", bits);
        }
    }
}

Test(network, of_ipv6_holds_no_ipv4)
{
    struct ip_network everything = { { 0, 0 }, 0 };
    struct ip_address four = read_address("8.8.8.8"), six = read_address("::8.8.8.8");

    cr_assert_not(ip_address_is_in(&everything, &four));
    cr_assert(ip_address_is_in(&everything, &six));
}

/* -- embedded addresses -------------------------------------------------- */

static const struct {
    const char *address, *embedded; /* each after a space, in order */
} embedding[] = {
    { "127.0.0.1", "" },
    { "::ffff:127.0.0.1", "" }, /* it is 127.0.0.1 */
    { "::", "" },
    { "::1", "" },
    { "::2", " 0.0.0.2" },
    { "::127.0.0.1", " 127.0.0.1" },
    { "::ffff:0:127.0.0.1", " 127.0.0.1" },
    { "64:ff9b::127.0.0.1", " 127.0.0.1" },
    { "64:ff9b::1:7f00:1", "" }, /* outside the /96 */
    { "2002:7f00:1::", " 127.0.0.1" },
    { "2002:7f00:1:ffff:ffff:ffff:ffff:ffff", " 127.0.0.1" },
    { "2001:0:102:304:0:0:80ff:fffe", " 1.2.3.4 127.0.0.1" },
    { "2001:1:7f00:1::", "" },
    { "2a00::5efe:127.0.0.1", " 127.0.0.1" },
    { "2a00::200:5efe:127.0.0.1", " 127.0.0.1" },
    { "2a00::100:5efe:127.0.0.1", " 127.0.0.1" },
    { "2a00::300:5efe:127.0.0.1", " 127.0.0.1" },
    { "2a00::400:5efe:127.0.0.1", "" },
    { "2a00::5eff:127.0.0.1", "" },
    { "2a00::127.0.0.1", "" }, /* just a number */

    /* RFC 6052's prefix lengths, inside RFC 8215's block */
    { "64:ff9b:1::127.0.0.1", " 127.0.0.1" },
    { "64:ff9b:1:7f00:0:100::", " 127.0.0.1" },
    { "64:ff9b:1:7f:0:1::", " 127.0.0.1" },
    { "64:ff9b:1:0:7f:0:100:0", " 1.0.0.0 127.0.0.1" },
    { "64:ff9b:1:c000:2:2100::", " 192.0.2.33 2.33.0.0" }, /* its section 2.4's own examples */
    { "64:ff9b:1:3c0:0:221::", " 3.192.0.2 192.0.2.33" },
    { "64:ff9b:1:344:c0:2:2100::", " 33.0.0.0 3.68.192.0 68.192.0.2 192.0.2.33" },
    { "64:ff9b:1:344::192.0.2.33", " 192.0.2.33 3.68.0.0 68.0.0.0" },
    { "64:ff9b:1:fffe::8.8.8.8", " 8.8.8.8 255.254.0.0 254.0.0.0" },
    { "64:ff9b:1::", " 0.0.0.0" },

    /* more than one form at once */
    { "2002:808:808::5efe:10.0.0.1", " 8.8.8.8 10.0.0.1" },
    { "2001:0:808:808:0:5efe:f7f7:f7f7", " 8.8.8.8 8.8.8.8 247.247.247.247" },
    { "fe80::5efe:10.0.0.1", " 10.0.0.1" },
};

Test(address, embeds)
{
    for (size_t i = 0; i < sizeof embedding / sizeof embedding[0]; i++) {
        struct ip_address a = read_address(embedding[i].address), embedded[IP_ADDRESS_EMBEDDED_MAX];
        size_t n = ip_address_embedded_ipv4(&a, embedded);
        char found[128] = "", one[IP_ADDRESS_TEXT_SIZE];

        for (size_t k = 0; k < n; k++) {
            cr_expect(ip_address_is_ipv4(&embedded[k]));
            ip_address_format(&embedded[k], one);
            strcat(strcat(found, " "), one);
        }
        cr_expect_str_eq(found, embedding[i].embedded, "%s embeds%s, expected%s",
                         embedding[i].address, found, embedding[i].embedded);
    }
}

Test(address, a_host_is_one_in_every_spelling_that_a_resolver_takes)
{
    static const char *const texts[] = { "127.0.0.1",  "127.1",        "0x7f.1",  "017700000001",
                                         "2130706433", "127.0.0.1.",   "127.1..", "::1",
                                         "fe80::1%lo", "::ffff:7f00:1" };
    static const char *const names[] = { "",          "localhost", "127.0.0.1.a", "127.0.0.1a",
                                         "1.2.3.4.5", "%lo",       ".",           "a%1" };
    struct ip_address a;
    char longest[400];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_expect(ip_address_parse_host(&a, texts[i]), "%s", texts[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect_not(ip_address_parse_host(&a, names[i]), "%s", names[i]);
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    cr_expect_not(ip_address_parse_host(&a, longest));
}
