/* test_extra_fingerprint.c - details of a fingerprint. */

#include "fingerprint/extra_fingerprint.h"

#include "util/hash.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct extra_fingerprint *
make(void)
{
    struct extra_fingerprint *e = extra_fingerprint_new();

    e->set = UINT32_C(1) << EXTRA_GREASE | UINT32_C(1) << EXTRA_WEIGHT |
             UINT32_C(1) << EXTRA_HEADER_ORDER | UINT32_C(1) << EXTRA_SIGNATURES;
    e->tls_grease = true;
    e->http2_stream_weight = 42;
    e->header_order = strdup("host,accept");
    e->tls_signature_algorithms = strdup("ed25519");
    return e;
}

Test(extra_fingerprint, each_key_has_a_name_and_an_option_of_its_own)
{
    for (enum extra_fingerprint_key key = 0; key < EXTRA_COUNT; key++) {
        cr_assert_eq(extra_fingerprint_find(extra_fingerprint_field(key)->name), key);
        cr_assert_not_null(extra_fingerprint_option(key));
        for (enum extra_fingerprint_key other = 0; other < key; other++)
            cr_assert_str_neq(extra_fingerprint_option(key), extra_fingerprint_option(other));
    }
    cr_assert_eq(extra_fingerprint_find("tls_max"), EXTRA_COUNT);
}

Test(extra_fingerprint, a_copy_is_equal_until_anything_differs)
{
    struct extra_fingerprint *e = make(), *copy = extra_fingerprint_copy(e);
    uint64_t h = extra_fingerprint_hash(HASH_START, e);

    cr_assert(extra_fingerprint_equal(e, copy));
    cr_assert_eq(extra_fingerprint_hash(HASH_START, copy), h);
    cr_assert_gt(extra_fingerprint_bytes(e), sizeof *e + strlen("host,accept"));
    copy->http2_stream_weight = 43;
    cr_assert_not(extra_fingerprint_equal(e, copy));
    cr_assert_neq(extra_fingerprint_hash(HASH_START, copy), h);
    copy->http2_stream_weight = 42;
    strcpy(copy->header_order, "accept,host");
    cr_assert_not(extra_fingerprint_equal(e, copy));
    cr_assert_neq(extra_fingerprint_hash(HASH_START, copy), h);
    extra_fingerprint_free(copy);
    extra_fingerprint_free(e);
}

Test(extra_fingerprint, false_differs_from_not_given)
{
    struct extra_fingerprint *none = extra_fingerprint_new(), *off = extra_fingerprint_new();

    off->set = UINT32_C(1) << EXTRA_GREASE;
    cr_assert(extra_fingerprint_has(off, EXTRA_GREASE) && !extra_fingerprint_has(NULL, 0));
    cr_assert_not(extra_fingerprint_equal(none, off));
    cr_assert_neq(extra_fingerprint_hash(HASH_START, none),
                  extra_fingerprint_hash(HASH_START, off));
    cr_assert(extra_fingerprint_equal(NULL, NULL) && !extra_fingerprint_equal(NULL, none));
    extra_fingerprint_free(none);
    extra_fingerprint_free(off);
    extra_fingerprint_free(NULL);
}

static void
check(enum extra_fingerprint_key key, const char *text, const char *detail)
{
    struct extra_fingerprint *e = extra_fingerprint_new();
    struct failure err = { 0 };
    int rc;

    *(char **)((char *)e + extra_fingerprint_field(key)->at) = strdup(text);
    rc = extra_fingerprint_check(e, key, &err);
    cr_assert_eq(rc, detail == NULL ? 0 : -1, "%s: %s", text, err.detail);
    cr_assert_str_eq(err.detail, detail != NULL ? detail : "");
    extra_fingerprint_free(e);
}

Test(extra_fingerprint, texts_are_lists_of_known_names)
{
    check(EXTRA_COMPRESSION, "zlib,brotli,zstd", NULL);
    check(EXTRA_COMPRESSION, "", NULL);
    check(EXTRA_COMPRESSION, "zlib,", "\"\" is not known");
    check(EXTRA_COMPRESSION, "zlib,zlib", "\"zlib\" is there twice");
    check(EXTRA_SIGNATURES, "ed25519,ed25519", NULL);
    check(EXTRA_SIGNATURES, "ed25519:ed25519", "\"ed25519:ed25519\" is not known");
    check(EXTRA_CREDENTIAL, "ed25519:ecdsa_sha1", NULL);
    check(EXTRA_CREDENTIAL, "", "\"\" is not known");
    check(EXTRA_HEADER_ORDER, "host,x-a", NULL);
    check(EXTRA_HEADER_ORDER, "x-a,X-A", "\"X-A\" is there twice");
    check(EXTRA_HEADER_ORDER, "x-ab,x-a", NULL);
    check(EXTRA_HEADER_ORDER, ":path", "\":path\" is not known");
    check(EXTRA_H3_SIGNATURES, "md5", "\"md5\" is not known");
    check(EXTRA_H3_EXTENSIONS, "0-10", NULL);
    check(EXTRA_H3_EXTENSIONS, "0-99", "extension 99 is not known");
}

Test(extra_fingerprint, lists_have_a_limit)
{
    char text[5000] = "ed25519";

    for (int i = 1; i < 17; i++)
        strcat(text, ",ed25519");
    check(EXTRA_SIGNATURES, text, "over 16 names");
    memset(text, 'a', sizeof text - 1);
    check(EXTRA_HEADER_ORDER, text, "over 4096 bytes");
}
