/*
 * fuzz_cookie_match.c - any cookies for any target, any name against the list of public suffixes:
 * what a second, slow reading of RFC 6265 and of the list says.
 *
 * The input's strings are host and path of the target, then name, domain and path of each cookie.
 */

#include "fuzz_input.h"
#include "http/cookie_match.h"
#include "http/public_suffix.h"

#include <arpa/inet.h>
#include <strings.h>

#define NOW         1700000000
#define COOKIES_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- RFC 6265 section 5.1.3 and 5.1.4, word by word ------------------------------- */

static bool
is_address(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
slow_domain(const char *host, const char *domain)
{
    size_t n = strlen(host), m = strlen(domain);

    if (strcasecmp(host, domain) == 0)
        return true;
    return n > m + 1 && m > 0 && strcasecmp(host + n - m, domain) == 0 && host[n - m - 1] == '.' &&
           !is_address(host);
}

static bool
slow_path(const char *path, const char *cookie_path)
{
    size_t n = strlen(cookie_path);

    if (strcmp(path, cookie_path) == 0)
        return true;
    return strncmp(path, cookie_path, n) == 0 &&
           ((n > 0 && cookie_path[n - 1] == '/') || path[n] == '/');
}

/* One that does not begin with a slash stands for all. */
static const char *
path_of(const struct cookie *c)
{
    return c->path != NULL && c->path[0] == '/' ? c->path : "/";
}

static bool
slow_target(const struct cookie *c, const struct cookie_target *t)
{
    bool promised = c->secure || strncasecmp(c->name, "__Secure-", 9) == 0 ||
                    strncasecmp(c->name, "__Host-", 7) == 0;

    if (c->deleted || (promised && !t->secure) || (c->expires != 0 && c->expires <= NOW))
        return false;
    if (c->domain != NULL &&
        !(c->host_only ? strcasecmp(t->host, c->domain) == 0 : slow_domain(t->host, c->domain)))
        return false;
    return slow_path(t->path, path_of(c));
}

/* The longest path first, then the one that comes first in the list. */
static void
slow_write(struct buffer *to, const struct cookies *list, const struct cookie_target *t)
{
    bool used[COOKIES_MAX] = { false };

    for (;;) {
        size_t best = list->count, longest = 0;

        for (size_t i = 0; i < list->count; i++) {
            size_t n = strlen(path_of(&list->items[i]));

            if (!used[i] && slow_target(&list->items[i], t) && (best == list->count || n > longest))
                best = i, longest = n;
        }
        if (best == list->count)
            return;
        used[best] = true;
        buffer_printf(to, "%s%s%s%s", to->len > 0 ? "; " : "", list->items[best].name,
                      list->items[best].name[0] != '\0' ? "=" : "", list->items[best].value);
    }
}

/* -- the input's cookies ------------------------------------------------------------- */

/* "" is none. */
static char *
take_optional(struct fuzz_input *in)
{
    char *text = take_string(in);

    if (text[0] != '\0')
        return text;
    free(text);
    return NULL;
}

static void
take_cookie(struct fuzz_input *in, struct cookies *list)
{
    size_t bits = take_byte(in);
    struct cookie c = { .name = take_string(in),
                        .domain = take_optional(in),
                        .path = take_optional(in),
                        .value = strdup("v") };

    c.host_only = bits & 1;
    c.secure = bits & 2;
    c.deleted = bits & 4;
    c.expires = bits & 8 ? NOW + (int64_t)(bits >> 4) - 8 : 0;
    if (cookies_add(list, &c) != 0)
        abort();
    cookies_destroy_one(&c);
}

static void
check_field(const struct cookies *list, const struct cookie_target *t)
{
    struct buffer fast, slow;

    buffer_init(&fast, SIZE_MAX / 2);
    buffer_init(&slow, SIZE_MAX / 2);
    buffer_adds(&fast, "");
    buffer_adds(&slow, "");
    cookie_match_write(&fast, list, t);
    slow_write(&slow, list, t);
    check_that(buffer_ok(&fast) && strcmp(fast.data, slow.data) == 0, fast.data, slow.data);
    buffer_free(&fast);
    buffer_free(&slow);
}

/*
 * A name right below one that is no suffix can be one, but there is always one above it. What the
 * list does not know is a suffix where it has no dot.
 */
static void
check_suffix(const char *name)
{
    static const char *const known[] = { "com", "co.uk", "github.io", "foo.ck" };
    static const char *const others[] = { "www.ck", "example.com", "example.co.uk" };

    for (size_t i = 0; i < COUNT(known) && public_suffix_is_known(); i++)
        check_that(public_suffix_is(known[i]) && !public_suffix_is(others[i % COUNT(others)]),
                   "a suffix", known[i]);
    if (strchr(name, '.') == NULL)
        check_that(public_suffix_is(name), "without a dot", name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    bool secure = take_byte(&in) & 1;
    char *host = take_string(&in), *path = take_string(&in);
    struct cookie_target t = { .host = host, .path = path, .secure = secure, .now = NOW };
    struct cookies list = { 0 };

    check_suffix(host);
    while (in.left > 0 && list.count < COOKIES_MAX)
        take_cookie(&in, &list);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].domain != NULL)
            check_that(cookie_match_domain(host, list.items[i].domain) ==
                           slow_domain(host, list.items[i].domain),
                       host, list.items[i].domain);
    check_field(&list, &t);
    cookies_destroy(&list);
    free(host);
    free(path);
    return 0;
}
