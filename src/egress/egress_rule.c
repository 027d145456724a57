/* egress_rule.c - a rule of egress.allow or egress.deny: a network, a host name or a suffix. */

#include "egress/egress_rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUOTED       "%.100s" /* a rule in an error message */
#define LABEL_MAX    63       /* RFC 1035 section 2.3.4 */
#define ADDRESS_BITS 128

/* ASCII only: tolower() depends on the locale, and in a Turkish one changes "I" otherwise. */
static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_character(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* -- networks ------------------------------------------------------------ */

/* The number after the slash; -1: not a number, or more than max. */
static int
read_bits(const char *text, int max)
{
    int bits = 0;

    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return -1;
    for (; *text != '\0'; text++) {
        if (!is_digit(*text))
            return -1;
        bits = bits * 10 + *text - '0';
        if (bits > max)
            return -1;
    }
    return bits;
}

static int
read_network(struct egress_rule *r, const char *slash, const char *option, struct failure *err)
{
    char address[IP_ADDRESS_TEXT_SIZE] = "", first[IP_ADDRESS_TEXT_SIZE];
    struct ip_network *n = &r->network;
    struct ip_address given;
    size_t size = (size_t)(slash - r->text);
    int bits, family_bits;

    if (size < sizeof address)
        memcpy(address, r->text, size);
    if (!ip_address_parse(&given, address))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "%s: \"" QUOTED "\": the part before the slash is not an IP address",
                           option, r->text);
    family_bits = strchr(address, ':') == NULL ? 32 : ADDRESS_BITS;
    bits = read_bits(slash + 1, family_bits);
    if (bits < 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "%s: \"" QUOTED
                           "\": the part after the slash is not a number from 0 to %d",
                           option, r->text, family_bits);
    n->bits = ADDRESS_BITS - family_bits + bits;
    n->first = ip_address_network_first(&given, n->bits);
    if (n->first.high == given.high && n->first.low == given.low)
        return 0;
    ip_address_format(&n->first, first);
    return failure_set(err, ERROR_BAD_REQUEST,
                       "%s: \"" QUOTED "\": bits are set after the first %d; write %s/%d", option,
                       r->text, bits, first,
                       strchr(first, ':') == NULL ? n->bits - (ADDRESS_BITS - 32) : bits);
}

/* -- host names ---------------------------------------------------------- */

/* What is wrong with one label; NULL: nothing. */
static const char *
label_flaw(size_t size)
{
    if (size == 0)
        return "a label of the host name is empty";
    if (size > LABEL_MAX)
        return "a label of the host name is longer than 63 bytes";
    return NULL;
}

/*
 * Resolvers take 127.1, 0x7f000001 and 010.0.0.1 for addresses.  As a name such a rule would never
 * match what its author meant.
 */
static bool
ends_in_number(const char *name, size_t size)
{
    const char *label = name + size;

    while (label > name && label[-1] != '.')
        label--;
    size -= (size_t)(label - name);
    if (size >= 2 && label[0] == '0' && lower(label[1]) == 'x')
        return strspn(label + 2, "0123456789abcdefABCDEF") >= size - 2;
    return size > 0 && strspn(label, "0123456789") >= size;
}

/* What is wrong with a name; NULL: nothing. */
static const char *
name_flaw(const char *name, size_t size)
{
    const char *label = name, *end = name + size, *flaw;

    if (size > RULE_NAME_MAX)
        return "the host name is longer than 253 bytes";
    for (const char *c = name; c < end; c++) {
        if ((unsigned char)*c >= 0x80)
            return "an international name must be written in punycode, xn--…";
        if (!is_name_character(*c))
            return "neither an IP address, a CIDR such as 10.0.0.0/8, a host name, nor *.suffix";
    }
    for (const char *c = name; c <= end; c++) {
        if (c < end && *c != '.')
            continue;
        if ((flaw = label_flaw((size_t)(c - label))) != NULL)
            return flaw;
        label = c + 1;
    }
    if (ends_in_number(name, size))
        return "a host name cannot end in a number, and an IPv4 address is four without leading "
               "zeros";
    return NULL;
}

static int
read_name(struct egress_rule *r, const char *option, struct failure *err)
{
    const char *name = r->text, *flaw;
    size_t size;

    r->kind = RULE_NAME;
    if (strcmp(name, "*") == 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "%s: \"*\" is not a rule; 0.0.0.0/0 and ::/0 match every address",
                           option);
    if (strncmp(name, "*.", 2) == 0) {
        r->kind = RULE_SUFFIX;
        name += 2;
    }
    size = strlen(name);
    if (size > 1 && name[size - 1] == '.')
        size--;
    if ((flaw = name_flaw(name, size)) != NULL)
        return failure_set(err, ERROR_BAD_REQUEST, "%s: \"" QUOTED "\": %s", option, r->text, flaw);
    r->name = r->kind == RULE_SUFFIX ? name - 1 : name;
    r->name_size = r->kind == RULE_SUFFIX ? size + 1 : size;
    return 0;
}

/* -- the rule ------------------------------------------------------------ */

static int
read_rule(struct egress_rule *r, const char *option, struct failure *err)
{
    const char *slash = strchr(r->text, '/');

    if (slash != NULL)
        return read_network(r, slash, option, err);
    r->network.bits = ADDRESS_BITS;
    if (ip_address_parse(&r->network.first, r->text))
        return 0;
    return read_name(r, option, err);
}

static int
rule_init(struct egress_rule *r, const char *option, const char *text, struct failure *err)
{
    *r = (struct egress_rule){ .kind = RULE_NETWORK, .text = strdup(text) };
    if (r->text == NULL)
        return failure_no_memory(err);
    return read_rule(r, option, err);
}

static bool
has_address(const struct egress_rule *r, const struct ip_address *a)
{
    return r->kind == RULE_NETWORK && ip_address_is_in(&r->network, a);
}

static bool
has_host(const struct egress_rule *r, const char *host, size_t size)
{
    if (r->kind == RULE_SUFFIX && size > r->name_size) {
        host += size - r->name_size;
        size = r->name_size;
    } else if (r->kind != RULE_NAME) {
        return false;
    }
    if (size != r->name_size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower(host[i]) != lower(r->name[i]))
            return false;
    return true;
}

/* -- lists of rules ------------------------------------------------------ */

int
egress_rule_list_init(struct egress_rule_list *list, char *const *texts, size_t count,
                      const char *option, struct failure *err)
{
    *list = (struct egress_rule_list){ 0 };
    if (count == 0)
        return 0;
    if ((list->items = calloc(count, sizeof *list->items)) == NULL)
        return failure_no_memory(err);
    list->count = count;
    for (size_t i = 0; i < count; i++)
        if (rule_init(&list->items[i], option, texts[i], err) != 0) {
            egress_rule_list_destroy(list);
            return -1;
        }
    return 0;
}

void
egress_rule_list_destroy(struct egress_rule_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    *list = (struct egress_rule_list){ 0 };
}

const struct egress_rule *
egress_rule_list_find_host(const struct egress_rule_list *list, const char *host, size_t size)
{
    for (size_t i = 0; i < list->count; i++)
        if (has_host(&list->items[i], host, size))
            return &list->items[i];
    return NULL;
}

const struct egress_rule *
egress_rule_list_find_address(const struct egress_rule_list *list, const struct ip_address *a)
{
    const struct egress_rule *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct egress_rule *r = &list->items[i];

        if (has_address(r, a) && (found == NULL || r->network.bits > found->network.bits))
            found = r;
    }
    return found;
}

/* -- hosts ----------------------------------------------------------------- */

size_t
egress_rule_host_size(const char *host)
{
    size_t n = strlen(host);

    return n > 1 && host[n - 1] == '.' ? n - 1 : n;
}

bool
egress_rule_is_localhost(const char *host)
{
    size_t n = egress_rule_host_size(host), m = strlen("localhost");

    return n >= m && strncasecmp(host + n - m, "localhost", m) == 0 &&
           (n == m || host[n - m - 1] == '.');
}

bool
egress_rule_list_has(const struct egress_rule_list *list, const char *host)
{
    struct ip_address literal;

    if (ip_address_parse_host(&literal, host))
        return egress_rule_list_find_address(list, &literal) != NULL;
    return egress_rule_list_find_host(list, host, egress_rule_host_size(host)) != NULL;
}
