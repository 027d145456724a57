/* fingerprint.c - the keys of `fingerprint`, as options of libcurl-impersonate. */

#include "transfer/fingerprint.h"

#include "fingerprint/akamai.h"
#include "fingerprint/ja3.h"
#include "fingerprint/perk.h"
#include "libcurl/impersonate_targets.h"
#include "transfer/hop.h"

#include <pthread.h>
#include <string.h>

/* -- the options -------------------------------------------------------------- */

/* Beside those of extra_fingerprint.h: ID, name, the key that needs it. */
#define OPTIONS(X)                                         \
    X(CIPHERS, "SSL_CIPHER_LIST", KEY_JA3)                 \
    X(EXTENSIONS, "TLS_EXTENSION_ORDER", KEY_JA3)          \
    X(GROUPS, "SSL_EC_CURVES", KEY_JA3)                    \
    X(H2_SETTINGS, "HTTP2_SETTINGS", KEY_AKAMAI)           \
    X(H2_WINDOW, "HTTP2_WINDOW_UPDATE", KEY_AKAMAI)        \
    X(H2_STREAMS, "HTTP2_STREAMS", KEY_AKAMAI)             \
    X(H2_PSEUDO, "HTTP2_PSEUDO_HEADERS_ORDER", KEY_AKAMAI) \
    X(H3_SETTINGS, "HTTP3_SETTINGS", KEY_PERK)             \
    X(H3_PSEUDO, "HTTP3_PSEUDO_HEADERS_ORDER", KEY_PERK)   \
    X(QUIC_PARAMETERS, "QUIC_TRANSPORT_PARAMETERS", KEY_PERK)

enum option {
#define X(id, name, key) OPTION_##id,
    OPTIONS(X)
#undef X
        OPTION_COUNT
};

static const struct {
    const char *name;
    enum request_key key;
} options[] = {
#define X(id, name, key) { name, key },
    OPTIONS(X)
#undef X
};

static pthread_once_t looked_up = PTHREAD_ONCE_INIT;
static const struct curl_easyoption *found[OPTION_COUNT], *extra_found[EXTRA_COUNT];

static void
look_up(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        found[i] = curl_easy_option_by_name(options[i].name);
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++)
        extra_found[key] = curl_easy_option_by_name(extra_fingerprint_option(key));
}

static int
lacks(const char *key, const char *within, const char *option, struct failure *err)
{
    return failure_set(err, ERROR_UNSUPPORTED,
                       "%s%s%s: this libcurl has no option %s. " IMPERSONATE_TARGETS_ADVICE, key,
                       within != NULL ? "." : "", within != NULL ? within : "", option);
}

static int
check_extra(const struct request *r, struct failure *err)
{
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++)
        if (extra_fingerprint_has(r->extra, key) && extra_found[key] == NULL)
            return lacks(request_key_field(KEY_EXTRA)->name, extra_fingerprint_field(key)->name,
                         extra_fingerprint_option(key), err);
    return 0;
}

int
fingerprint_check(const struct request *r, enum request_key key, struct failure *err)
{
    pthread_once(&looked_up, look_up);
    if (key == KEY_EXTRA)
        return check_extra(r, err);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (options[i].key == key && found[i] == NULL)
            return lacks(request_key_field(key)->name, NULL, options[i].name, err);
    return 0;
}

/* -- setting them --------------------------------------------------------------- */

static int
check_result(struct curlew_fetch *f, CURLcode rc, const char *name)
{
    if (rc == CURLE_OK)
        return 0;
    return rc == CURLE_OUT_OF_MEMORY
               ? failure_no_memory(&f->failure)
               : failure_set(&f->failure, ERROR_UNSUPPORTED, "%s: this libcurl refuses it: %s",
                             name, curl_easy_strerror(rc));
}

static int
set_text(struct curlew_fetch *f, enum option option, const char *text)
{
    return check_result(f, hop_set(f->hop, found[option]->id, text),
                        request_key_field(options[option].key)->name);
}

static int
set_number(struct curlew_fetch *f, enum option option, long n)
{
    return check_result(f, hop_set(f->hop, found[option]->id, n),
                        request_key_field(options[option].key)->name);
}

static bool
is_permuted(const struct request *r)
{
    return extra_fingerprint_has(r->extra, EXTRA_PERMUTE) && r->extra->tls_permute_extensions;
}

static int
set_ja3(struct curlew_fetch *f, const struct ja3 *j)
{
    bool permuted = is_permuted(&f->request);

    f->hop->no_tickets = !permuted && !j->can_resume;
    if (set_text(f, OPTION_CIPHERS, j->ciphers.data) != 0 ||
        (!permuted && set_text(f, OPTION_EXTENSIONS, j->extensions.data) != 0))
        return -1;
    return set_text(f, OPTION_GROUPS, j->groups.data);
}

static int
apply_ja3(struct curlew_fetch *f)
{
    struct ja3 j;
    int rc;

    if (f->request.ja3 == NULL)
        return 0;
    if (fingerprint_check(&f->request, KEY_JA3, &f->failure) != 0 ||
        ja3_parse(&j, f->request.ja3, &f->failure) != 0)
        return -1;
    rc = set_ja3(f, &j);
    ja3_destroy(&j);
    return rc;
}

/*
 * The priorities are given to libcurl-impersonate as curl_cffi does, which sends none of them.  It
 * takes 0 as its own window update, and -1 leaves no update to send.
 */
static int
apply_akamai(struct curlew_fetch *f)
{
    struct akamai a;

    if (f->request.akamai == NULL)
        return 0;
    if (fingerprint_check(&f->request, KEY_AKAMAI, &f->failure) != 0 ||
        akamai_parse(&a, f->request.akamai, &f->failure) != 0 ||
        set_text(f, OPTION_H2_SETTINGS, a.settings) != 0 ||
        set_number(f, OPTION_H2_WINDOW, a.window_update > 0 ? a.window_update : -1) != 0 ||
        (a.streams[0] != '\0' && set_text(f, OPTION_H2_STREAMS, a.streams) != 0))
        return -1;
    return set_text(f, OPTION_H2_PSEUDO, a.pseudo);
}

static int
apply_perk(struct curlew_fetch *f)
{
    struct perk p;

    if (f->request.perk == NULL)
        return 0;
    if (fingerprint_check(&f->request, KEY_PERK, &f->failure) != 0 ||
        perk_parse(&p, f->request.perk, &f->failure) != 0 ||
        set_text(f, OPTION_H3_SETTINGS, p.settings) != 0 ||
        set_text(f, OPTION_H3_PSEUDO, p.pseudo) != 0)
        return -1;
    return set_text(f, OPTION_QUIC_PARAMETERS, p.parameters);
}

/* Of the kind that the key's row says; SSLVERSION is set for all keys together. */
static CURLcode
set_extra(struct curlew_fetch *f, enum extra_fingerprint_key key)
{
    const struct field *field = extra_fingerprint_field(key);
    const void *member = (const char *)f->request.extra + field->at;
    CURLoption option = extra_found[key]->id;

    if (key == EXTRA_TLS_MIN_VERSION)
        return CURLE_OK;
    if (field->kind == FIELD_BOOL)
        return hop_set(f->hop, option, *(const bool *)member);
    if (field->kind == FIELD_INT)
        return hop_set(f->hop, option, (long)*(const int *)member);
    if (field->kind == FIELD_CHOICE)
        return hop_set(f->hop, option, field->words[*(const int *)member]);
    return hop_set(f->hop, option, *(char *const *)member);
}

static int
apply_extra(struct curlew_fetch *f)
{
    if (f->request.extra == NULL)
        return 0;
    if (fingerprint_check(&f->request, KEY_EXTRA, &f->failure) != 0)
        return -1;
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++)
        if (extra_fingerprint_has(f->request.extra, key) &&
            check_result(f, set_extra(f, key), request_key_field(KEY_EXTRA)->name) != 0)
            return -1;
    return 0;
}

long
fingerprint_tls_min(const struct request *r)
{
    static const long versions[] = {
        [EXTRA_TLS_1_0] = CURL_SSLVERSION_TLSv1_0,
        [EXTRA_TLS_1_1] = CURL_SSLVERSION_TLSv1_1,
        [EXTRA_TLS_1_2] = CURL_SSLVERSION_TLSv1_2,
        [EXTRA_TLS_1_3] = CURL_SSLVERSION_TLSv1_3,
    };

    if (extra_fingerprint_has(r->extra, EXTRA_TLS_MIN_VERSION))
        return versions[r->extra->tls_min_version];
    return r->ja3 != NULL ? CURL_SSLVERSION_TLSv1_2 : 0;
}

static int
apply_tls_min(struct curlew_fetch *f)
{
    long min = fingerprint_tls_min(&f->request);

    if (min == 0)
        return 0;
    return check_result(f, hop_set(f->hop, CURLOPT_SSLVERSION, min | CURL_SSLVERSION_MAX_DEFAULT),
                        "fingerprint: the TLS version");
}

/* In curl_cffi's order. */
int
fingerprint_apply(struct curlew_fetch *f)
{
    if (!request_has_fingerprint(&f->request))
        return 0;
    return apply_ja3(f) != 0 || apply_tls_min(f) != 0 || apply_extra(f) != 0 ||
                   apply_akamai(f) != 0 || apply_perk(f) != 0
               ? -1
               : 0;
}
