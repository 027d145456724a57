/* ja3.c - a JA3 text: what a ClientHello is to look like. */

#include "fingerprint/ja3.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FIELDS      5
#define VERSION     771 /* TLS 1.2, as each hello says; 1.3 is an extension */
#define NUMBERS_MAX 64  /* of one field, all different */

#define PADDING                21 /* extensions */
#define PRE_SHARED_KEY         41
#define PSK_KEY_EXCHANGE_MODES 45

struct name {
    int number;
    const char *text;
};

/* Those that BoringSSL, as curl-impersonate has changed it, can offer. */
static const struct name ciphers[] = {
    { 0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA" },
    { 0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA" },
    { 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA" },
    { 0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA" },
    { 0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256" },
    { 0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256" },
    { 0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256" },
    { 0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256" },
    { 0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA" },
    { 0x008d, "TLS_PSK_WITH_AES_256_CBC_SHA" },
    { 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256" },
    { 0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384" },
    { 0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" },
    { 0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" },
    { 0x1301, "TLS_AES_128_GCM_SHA256" },
    { 0x1302, "TLS_AES_256_GCM_SHA384" },
    { 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
    { 0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" },
    { 0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA" },
    { 0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" },
    { 0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" },
    { 0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" },
    { 0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" },
    { 0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
    { 0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
    { 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
    { 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
    { 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
    { 0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA" },
    { 0xc036, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA" },
    { 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256" },
};

static const struct name groups[] = {
    { 23, "P-256" },
    { 24, "P-384" },
    { 25, "P-521" },
    { 29, "X25519" },
    { 256, "ffdhe2048" },
    { 257, "ffdhe3072" },
    { 4588, "X25519MLKEM768" },
    { 25497, "X25519Kyber768Draft00" },
};

/* BoringSSL refuses a list with any other.  Most are sent only where something asks for them. */
static const int extensions[] = { 0,  5,  10,    11,    13,    14,    16,    18,    19,    20,
                                  23, 27, 28,    34,    35,    42,    43,    44,    45,    47,
                                  51, 57, 13172, 17513, 17613, 30032, 51764, 65037, 65281, 65445 };

#define COUNT(array) (sizeof array / sizeof array[0])

struct numbers {
    int items[NUMBERS_MAX];
    size_t count;
};

/* RFC 8701: 0x0a0a, 0x1a1a, … */
static bool
is_grease(int n)
{
    return (n & 0x0f0f) == 0x0a0a && n >> 8 == (n & 0xff);
}

static int
add_number(struct numbers *all, int n, const char *what, struct failure *err)
{
    if (is_grease(n))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "%s %d is GREASE: leave it out, and set extra.tls_grease", what, n);
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i] == n)
            return failure_set(err, ERROR_BAD_REQUEST, "%s %d is there twice", what, n);
    if (all->count == NUMBERS_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d of %s", NUMBERS_MAX, what);
    all->items[all->count++] = n;
    return 0;
}

/* `size` bytes, "1-2-3". */
static int
read_numbers(struct numbers *all, const char *text, size_t size, const char *what,
             struct failure *err)
{
    const char *end = text + size;

    all->count = 0;
    for (;; text++) {
        const char *from = text;
        int n = 0;

        for (; text < end && isdigit((unsigned char)*text) && n <= UINT16_MAX; text++)
            n = n * 10 + (*text - '0');
        if (text == from || (*from == '0' && text - from > 1) || n > UINT16_MAX ||
            (text < end && *text != '-'))
            return failure_set(err, ERROR_BAD_REQUEST,
                               "%s: expected numbers up to 65535 with \"-\" between", what);
        if (add_number(all, n, what, err) != 0)
            return -1;
        if (text == end)
            return 0;
    }
}

static int
add_name(struct buffer *list, const struct name *names, size_t count, int number, const char *what,
         struct failure *err)
{
    size_t i = 0;

    while (i < count && names[i].number != number)
        i++;
    if (i == count)
        return failure_set(err, ERROR_BAD_REQUEST, "%s %d is not known", what, number);
    buffer_adds(list, list->len > 0 ? ":" : "");
    buffer_adds(list, names[i].text);
    return 0;
}

static int
add_names(struct buffer *list, const struct name *names, size_t count, const struct numbers *all,
          const char *what, struct failure *err)
{
    for (size_t i = 0; i < all->count; i++)
        if (add_name(list, names, count, all->items[i], what, err) != 0)
            return -1;
    return 0;
}

static int
check_extension(int n, struct failure *err)
{
    if (n == PADDING)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "extension 21 (padding) may only be the last one; the TLS library adds "
                           "it where it is needed");
    if (n == PRE_SHARED_KEY)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "extension 41 (pre_shared_key) is that of a resumed session; the TLS "
                           "library adds it then: leave it out");
    for (size_t i = 0; i < COUNT(extensions); i++)
        if (extensions[i] == n)
            return 0;
    return failure_set(err, ERROR_BAD_REQUEST, "extension %d is not known", n);
}

static int
check_extensions(const struct numbers *all, struct failure *err)
{
    for (size_t i = 0; i < all->count; i++)
        if (check_extension(all->items[i], err) != 0)
            return -1;
    return 0;
}

int
ja3_check_extensions(const char *text, struct failure *err)
{
    struct numbers all;

    return read_numbers(&all, text, strlen(text), "extension", err) != 0
               ? -1
               : check_extensions(&all, err);
}

/* Where each field begins; the last one ends the text. */
static int
split(const char *fields[FIELDS + 1], const char *text, struct failure *err)
{
    size_t count = 0;

    for (const char *at = text; at != NULL; at = strchr(at, ',')) {
        at += count > 0;
        if (count < FIELDS)
            fields[count] = at;
        count++;
    }
    fields[FIELDS] = text + strlen(text) + 1;
    return count == FIELDS
               ? 0
               : failure_set(err, ERROR_BAD_REQUEST,
                             "expected version,ciphers,extensions,groups,point formats; "
                             "these are %zu of 5 fields",
                             count);
}

static int
read_field(struct numbers *all, const char *const *fields, size_t i, const char *what,
           struct failure *err)
{
    return read_numbers(all, fields[i], (size_t)(fields[i + 1] - fields[i]) - 1, what, err);
}

static int
read_single(const char *const *fields, size_t i, const char *what, int wanted, struct failure *err)
{
    struct numbers all;

    if (read_field(&all, fields, i, what, err) != 0)
        return -1;
    if (all.count == 1 && all.items[0] == wanted)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST, "%s: only %d can be sent", what, wanted);
}

/* A hello may have padding, or not, depending on its length: it stands last, and is no choice. */
static int
read_extensions(struct ja3 *j, const char *const *fields, struct failure *err)
{
    struct numbers all;

    if (read_field(&all, fields, 2, "extension", err) != 0)
        return -1;
    if (all.count > 1 && all.items[all.count - 1] == PADDING)
        all.count--;
    if (check_extensions(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        buffer_printf(&j->extensions, "%s%d", i > 0 ? "-" : "", all.items[i]);
        j->can_resume |= all.items[i] == PSK_KEY_EXCHANGE_MODES;
    }
    return 0;
}

static int
read_all(struct ja3 *j, const char *text, struct failure *err)
{
    const char *fields[FIELDS + 1];
    struct numbers all;

    if (split(fields, text, err) != 0 || read_single(fields, 0, "version", VERSION, err) != 0 ||
        read_field(&all, fields, 1, "cipher", err) != 0 ||
        add_names(&j->ciphers, ciphers, COUNT(ciphers), &all, "cipher", err) != 0 ||
        read_extensions(j, fields, err) != 0 || read_field(&all, fields, 3, "group", err) != 0 ||
        add_names(&j->groups, groups, COUNT(groups), &all, "group", err) != 0)
        return -1;
    return read_single(fields, 4, "point format", 0, err);
}

int
ja3_parse(struct ja3 *j, const char *text, struct failure *err)
{
    int rc;

    *j = (struct ja3){ .can_resume = false };
    buffer_init(&j->ciphers, JA3_BYTES_MAX * 2);
    buffer_init(&j->extensions, JA3_BYTES_MAX);
    buffer_init(&j->groups, JA3_BYTES_MAX);
    rc = read_all(j, text, err);
    if (rc == 0 && !(buffer_ok(&j->ciphers) && buffer_ok(&j->extensions) && buffer_ok(&j->groups)))
        rc = failure_no_memory(err);
    if (rc != 0)
        ja3_destroy(j);
    return rc;
}

void
ja3_destroy(struct ja3 *j)
{
    buffer_free(&j->ciphers);
    buffer_free(&j->extensions);
    buffer_free(&j->groups);
}
