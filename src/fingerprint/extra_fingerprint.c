/* extra_fingerprint.c - details of a fingerprint that neither JA3's nor Akamai's text has. */

#include "fingerprint/extra_fingerprint.h"

#include "fingerprint/ja3.h"
#include "util/hash.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX  4096
#define ITEMS_MAX 16 /* of a list: libcurl-impersonate's limit, which it has for algorithms */
#define NAMES_MAX 100
#define NAME_MAX  64

/* -- the table ----------------------------------------------------------- */

static const char *const versions[] = { "1.0", "1.1", "1.2", "1.3", NULL };
static const char *const boundaries[] = { "webkit", "firefox", NULL };

static const struct field keys[EXTRA_COUNT] = {
#define X(id, name, kind, member, min, max, words, option) \
    [EXTRA_##                                              \
        id] = { name, kind, offsetof(struct extra_fingerprint, member), min, max, words, 0, 0 },
    EXTRA_FINGERPRINT_KEYS(X)
#undef X
};

static const char *const options[EXTRA_COUNT] = {
#define X(id, name, kind, member, min, max, words, option) [EXTRA_##id] = option,
    EXTRA_FINGERPRINT_KEYS(X)
#undef X
};

_Static_assert(EXTRA_COUNT <= 32, "`set` has a bit for each key");

const struct field *
extra_fingerprint_field(enum extra_fingerprint_key key)
{
    return &keys[key];
}

enum extra_fingerprint_key
extra_fingerprint_find(const char *name)
{
    return (enum extra_fingerprint_key)field_find(keys, EXTRA_COUNT, name);
}

const char *
extra_fingerprint_option(enum extra_fingerprint_key key)
{
    return options[key];
}

bool
extra_fingerprint_has(const struct extra_fingerprint *e, enum extra_fingerprint_key key)
{
    return e != NULL && (e->set >> key & 1) != 0;
}

/* The text of a key that has one; NULL: it has none, or is another kind. */
static char **
text_of(const struct extra_fingerprint *e, enum extra_fingerprint_key key)
{
    bool is_text = keys[key].kind == FIELD_TEXT || keys[key].kind == EXTRA_FINGERPRINT_LIST;

    return is_text ? (char **)((const char *)e + keys[key].at) : NULL;
}

/* -- the whole ------------------------------------------------------------- */

struct extra_fingerprint *
extra_fingerprint_new(void)
{
    return calloc(1, sizeof(struct extra_fingerprint));
}

void
extra_fingerprint_free(struct extra_fingerprint *e)
{
    for (enum extra_fingerprint_key key = 0; e != NULL && key < EXTRA_COUNT; key++)
        if (text_of(e, key) != NULL)
            free(*text_of(e, key));
    free(e);
}

struct extra_fingerprint *
extra_fingerprint_copy(const struct extra_fingerprint *from)
{
    struct extra_fingerprint *e = extra_fingerprint_new();

    if (e == NULL)
        return NULL;
    e->set = from->set;
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++) {
        char **text = text_of(e, key);
        int rc =
            text != NULL ? text_copy(text, *text_of(from, key)) : field_copy(e, from, &keys[key]);

        if (rc != 0) {
            extra_fingerprint_free(e);
            return NULL;
        }
    }
    return e;
}

bool
extra_fingerprint_equal(const struct extra_fingerprint *a, const struct extra_fingerprint *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++)
        if (text_of(a, key) != NULL ? !text_equal(*text_of(a, key), *text_of(b, key))
                                    : !field_equal(a, b, &keys[key]))
            return false;
    return a->set == b->set;
}

size_t
extra_fingerprint_bytes(const struct extra_fingerprint *e)
{
    size_t n = e != NULL ? sizeof *e : 0;

    for (enum extra_fingerprint_key key = 0; e != NULL && key < EXTRA_COUNT; key++)
        if (text_of(e, key) != NULL)
            n += text_bytes(*text_of(e, key));
    return n;
}

static uint64_t
number_of(const struct extra_fingerprint *e, enum extra_fingerprint_key key)
{
    const void *member = (const char *)e + keys[key].at;

    return keys[key].kind == FIELD_BOOL ? *(const bool *)member : (uint64_t) * (const int *)member;
}

uint64_t
extra_fingerprint_hash(uint64_t h, const struct extra_fingerprint *e)
{
    if (e == NULL)
        return h;
    h = hash_number(h, e->set);
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++)
        h = text_of(e, key) != NULL ? hash_text(h, *text_of(e, key))
                                    : hash_number(h, number_of(e, key));
    return h;
}

/* -- what a text may say ----------------------------------------------------- */

typedef bool known_item(const char *item, size_t size);

static bool
is_one_of(const char *const *names, const char *item, size_t size)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strlen(names[i]) == size && strncmp(names[i], item, size) == 0)
            return true;
    return false;
}

/* RFC 8879 */
static bool
is_compression(const char *item, size_t size)
{
    static const char *const names[] = { "zlib", "brotli", "zstd", NULL };

    return is_one_of(names, item, size);
}

/* BoringSSL's, by their names in RFC 8446 section 4.2.3. */
static bool
is_signature(const char *item, size_t size)
{
    static const char *const names[] = {
        "rsa_pkcs1_sha1",
        "rsa_pkcs1_sha256",
        "rsa_pkcs1_sha384",
        "rsa_pkcs1_sha512",
        "ecdsa_sha1",
        "ecdsa_secp256r1_sha256",
        "ecdsa_secp384r1_sha384",
        "ecdsa_secp521r1_sha512",
        "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512",
        "ed25519",
        "mldsa44",
        "mldsa65",
        "mldsa87",
        NULL,
    };

    return is_one_of(names, item, size);
}

static bool
is_token(const char *item, size_t size)
{
    return size > 0 && size <= NAME_MAX &&
           strspn(item, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                        "!#$%&'*+-.^_`|~") >= size;
}

static bool
is_repeated(const char *text, const char *item, size_t size, char separator)
{
    for (const char *at = text; at < item; at += strcspn(at, (char[]){ separator, '\0' }) + 1)
        if (strncasecmp(at, item, size) == 0 && at[size] == separator)
            return true;
    return false;
}

static int
check_list(const char *text, char separator, size_t most, known_item *is_known, bool once,
           struct failure *err)
{
    const char *at = text;

    for (size_t count = 1;; count++) {
        size_t n = strcspn(at, (char[]){ separator, '\0' });

        if (!is_known(at, n))
            return failure_set(err, ERROR_BAD_REQUEST, "\"%.*s\" is not known",
                               (int)(n < NAME_MAX ? n : NAME_MAX), at);
        if (once && is_repeated(text, at, n, separator))
            return failure_set(err, ERROR_BAD_REQUEST, "\"%.*s\" is there twice", (int)n, at);
        if (count > most)
            return failure_set(err, ERROR_BAD_REQUEST, "over %zu names", most);
        if (at[n] == '\0')
            return 0;
        at += n + 1;
    }
}

int
extra_fingerprint_check(const struct extra_fingerprint *e, enum extra_fingerprint_key key,
                        struct failure *err)
{
    char **text = text_of(e, key);

    if (text == NULL)
        return 0;
    if (key == EXTRA_COMPRESSION && **text == '\0') /* none */
        return 0;
    if (strlen(*text) > TEXT_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d bytes", TEXT_MAX);
    switch (key) {
    case EXTRA_COMPRESSION:
        return check_list(*text, ',', ITEMS_MAX, is_compression, true, err);
    case EXTRA_SIGNATURES: /* Safari 15 has some twice */
    case EXTRA_H3_SIGNATURES:
        return check_list(*text, ',', ITEMS_MAX, is_signature, false, err);
    case EXTRA_CREDENTIAL:
        return check_list(*text, ':', ITEMS_MAX, is_signature, true, err);
    case EXTRA_HEADER_ORDER:
        return check_list(*text, ',', NAMES_MAX, is_token, true, err);
    default:
        return ja3_check_extensions(*text, err);
    }
}
