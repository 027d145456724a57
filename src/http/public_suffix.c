/*
 * public_suffix.c - domains under which anybody may register a name: com, co.uk, github.io.
 *
 * The list is a DAFSA, a deterministic acyclic finite state automaton, in the byte format of
 * Chromium's and libpsl's tools.  A node is a list of children.  Each child stands as an offset,
 * of one to three bytes, from the child before it (the first from the list itself); the top bit
 * marks the last of the list.  A child begins with a label: its bytes as they are, the last one
 * with its top bit set.  After the label comes the next node, or, as 0x80 to 0x9f, the end of the
 * name with what the name is.
 */

#include "http/public_suffix.h"

#include <stddef.h>
#include <string.h>

#define MAGIC      ".DAFSA@PSL_0   \n"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define TOP_BIT    0x80
#define EXCEPTION  0x01 /* "!www.ck": no public suffix, although "*.ck" is one */
#define WILDCARD   0x02 /* "*.ck": every name right below it */
#define UNKNOWN    (-1)

/* Made by the Makefile from Debian's public_suffix_list.dafsa; nothing where that is absent. */
extern const unsigned char public_suffix_data[];
extern const size_t public_suffix_size;

struct cursor {   /* in a list of children */
    size_t list;  /* where the next offset stands */
    size_t child; /* where the last child begins */
    bool ended;
};

static unsigned
byte_at(size_t at)
{
    return at < public_suffix_size ? public_suffix_data[at] : TOP_BIT;
}

bool
public_suffix_is_known(void)
{
    return public_suffix_size > MAGIC_SIZE && memcmp(public_suffix_data, MAGIC, MAGIC_SIZE) == 0;
}

/* The next child of the list; false: there are no more. */
static bool
next_child(struct cursor *c)
{
    unsigned b = byte_at(c->list);

    if (c->ended)
        return false;
    c->ended = (b & TOP_BIT) != 0;
    if ((b & 0x60) == 0x60) {
        c->child += (b & 0x1f) << 16 | byte_at(c->list + 1) << 8 | byte_at(c->list + 2);
        c->list += 3;
    } else if ((b & 0x60) == 0x40) {
        c->child += (b & 0x1f) << 8 | byte_at(c->list + 1);
        c->list += 2;
    } else {
        c->child += b & 0x3f;
        c->list++;
    }
    return true;
}

static bool
is_end_of_name(unsigned b)
{
    return b >= 0x80 && b <= 0x9f;
}

/*
 * Follow the label at `at` as far as it is the start of *name, which moves on.  Where the label has
 * matched whole: the place behind it; else 0.
 */
static size_t
match_label(size_t at, const char **name)
{
    const char *n = *name;

    for (;; at++, n++) {
        unsigned b = byte_at(at);

        if (*n == '\0' || (b & ~TOP_BIT) != (unsigned char)*n)
            return 0;
        if (b & TOP_BIT) {
            *name = n + 1;
            return at + 1;
        }
    }
}

/* The label at `at` goes to the end of the name: its value; else UNKNOWN. */
static int
match_end(size_t at, const char *name)
{
    while (*name != '\0' && byte_at(at) == (unsigned char)*name) {
        at++;
        name++;
    }
    return *name == '\0' && is_end_of_name(byte_at(at)) ? (int)(byte_at(at) & 0x0f) : UNKNOWN;
}

/* What the list says of the name: flags, or UNKNOWN. */
static int
look_up(const char *name)
{
    struct cursor c = { .list = MAGIC_SIZE, .child = MAGIC_SIZE };

    if (*name == '\0') /* bytes of names that are no ASCII could be taken for the end */
        return UNKNOWN;
    while (next_child(&c)) {
        int value = match_end(c.child, name);
        size_t node;

        if (value != UNKNOWN)
            return value;
        if ((node = match_label(c.child, &name)) != 0)
            c = (struct cursor){ .list = node, .child = node };
    }
    return UNKNOWN;
}

bool
public_suffix_is(const char *domain)
{
    const char *dot = strchr(domain, '.');
    int rule, parent;

    if (dot == NULL || !public_suffix_is_known())
        return true;
    rule = look_up(domain);
    if (rule != UNKNOWN)
        return (rule & EXCEPTION) == 0;
    parent = look_up(dot + 1);
    return parent != UNKNOWN && (parent & WILDCARD) != 0;
}
