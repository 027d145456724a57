/*
 * extra_fingerprint.h - details of a TLS and HTTP fingerprint that neither JA3's nor Akamai's text
 * has: `fingerprint.extra`.
 *
 * The names and their meaning are those of curl_cffi's ExtraFingerprints.
 */
#ifndef FINGERPRINT_EXTRA_FINGERPRINT_H
#define FINGERPRINT_EXTRA_FINGERPRINT_H

#include "util/failure.h"
#include "util/field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond util/field.h's. */
enum extra_fingerprint_kind {
    EXTRA_FINGERPRINT_LIST = FIELD_OTHER, /* char *, owned: in JSON a list, here with "," between */
};

/*
 * Each key, a row each: ID, name, kind, member, min, max, words, the option of libcurl without its
 * CURLOPT_.
 */
/* clang-format off */
#define EXTRA_FINGERPRINT_KEYS(X)                                                                 \
    X(TLS_MIN_VERSION, "tls_min_version", FIELD_CHOICE, tls_min_version, 0, 0, versions,          \
      "SSLVERSION")                                                                               \
    X(GREASE, "tls_grease", FIELD_BOOL, tls_grease, 0, 0, NULL, "TLS_GREASE")                     \
    X(PERMUTE, "tls_permute_extensions", FIELD_BOOL, tls_permute_extensions, 0, 0, NULL,          \
      "SSL_PERMUTE_EXTENSIONS")                                                                   \
    X(COMPRESSION, "tls_cert_compression", FIELD_TEXT, tls_cert_compression, 0, TEXT_MAX, NULL,   \
      "SSL_CERT_COMPRESSION")                                                                     \
    X(SIGNATURES, "tls_signature_algorithms", EXTRA_FINGERPRINT_LIST, tls_signature_algorithms,   \
      0, TEXT_MAX, NULL, "SSL_SIG_HASH_ALGS")                                                     \
    X(CREDENTIAL, "tls_delegated_credential", FIELD_TEXT, tls_delegated_credential, 0, TEXT_MAX,  \
      NULL, "TLS_DELEGATED_CREDENTIALS")                                                          \
    X(RECORD_SIZE, "tls_record_size_limit", FIELD_INT, tls_record_size_limit, 64, 16385, NULL,    \
      "TLS_RECORD_SIZE_LIMIT")                                                                    \
    X(WEIGHT, "http2_stream_weight", FIELD_INT, http2_stream_weight, 1, 256, NULL,                \
      "STREAM_WEIGHT")                                                                            \
    X(EXCLUSIVE, "http2_stream_exclusive", FIELD_BOOL, http2_stream_exclusive, 0, 0, NULL,        \
      "STREAM_EXCLUSIVE")                                                                         \
    X(NO_PRIORITY, "http2_no_priority", FIELD_BOOL, http2_no_priority, 0, 0, NULL,                \
      "HTTP2_NO_PRIORITY")                                                                        \
    X(HEADER_ORDER, "header_order", FIELD_TEXT, header_order, 0, TEXT_MAX, NULL,                  \
      "HTTPHEADER_ORDER")                                                                         \
    X(FORM_BOUNDARY, "form_boundary", FIELD_CHOICE, form_boundary, 0, 0, boundaries,              \
      "FORM_BOUNDARY")                                                                            \
    X(H3_SIGNATURES, "http3_sig_hash_algs", FIELD_TEXT, http3_sig_hash_algs, 0, TEXT_MAX, NULL,   \
      "HTTP3_SIG_HASH_ALGS")                                                                      \
    X(H3_EXTENSIONS, "http3_tls_extension_order", FIELD_TEXT, http3_tls_extension_order, 0,       \
      TEXT_MAX, NULL, "HTTP3_TLS_EXTENSION_ORDER")                                                \
    X(QUIC_NUMBER, "quic_initial_packet_number", FIELD_INT, quic_initial_packet_number, 0,        \
      INT32_MAX, NULL, "QUIC_INITIAL_PACKET_NUMBER")
/* clang-format on */

enum extra_fingerprint_key {
#define X(id, ...) EXTRA_##id,
    EXTRA_FINGERPRINT_KEYS(X)
#undef X
        EXTRA_COUNT
};

enum extra_fingerprint_tls { EXTRA_TLS_1_0, EXTRA_TLS_1_1, EXTRA_TLS_1_2, EXTRA_TLS_1_3 };

struct extra_fingerprint {
    uint32_t set; /* a bit for each key that was given */
    enum extra_fingerprint_tls tls_min_version;
    int form_boundary; /* the index of its word */
    bool tls_grease, tls_permute_extensions;
    bool http2_stream_exclusive, http2_no_priority;
    int tls_record_size_limit, http2_stream_weight, quic_initial_packet_number;
    char *tls_cert_compression, *tls_signature_algorithms, *tls_delegated_credential;
    char *header_order, *http3_sig_hash_algs, *http3_tls_extension_order;
};

const struct field *extra_fingerprint_field(enum extra_fingerprint_key key);

/* EXTRA_COUNT: there is no such key. */
enum extra_fingerprint_key extra_fingerprint_find(const char *name);

/* "TLS_GREASE": without CURLOPT_. */
const char *extra_fingerprint_option(enum extra_fingerprint_key key);

bool extra_fingerprint_has(const struct extra_fingerprint *e, enum extra_fingerprint_key key);

/* NULL: no memory. */
struct extra_fingerprint *extra_fingerprint_new(void) __attribute__((warn_unused_result));
struct extra_fingerprint *extra_fingerprint_copy(const struct extra_fingerprint *from)
    __attribute__((warn_unused_result));

void extra_fingerprint_free(struct extra_fingerprint *e);

/* Either may be NULL, which equals only NULL. */
bool extra_fingerprint_equal(const struct extra_fingerprint *a, const struct extra_fingerprint *b);

size_t extra_fingerprint_bytes(const struct extra_fingerprint *e);

/* h and all that was given. */
uint64_t extra_fingerprint_hash(uint64_t h, const struct extra_fingerprint *e);

/*
 * May the text of this key be given to libcurl?  -1 with `err`: bad_request with a detail that
 * names what is wrong, but no key.  Of keys without a text nothing is to be checked.
 */
int extra_fingerprint_check(const struct extra_fingerprint *e, enum extra_fingerprint_key key,
                            struct failure *err) __attribute__((warn_unused_result));

#endif
