/* test_ja3.c - a JA3 text: what a ClientHello is to look like. */

#include "fingerprint/ja3.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void
refuses(const char *text, const char *detail)
{
    struct failure err = { 0 };
    struct ja3 j;

    cr_assert_eq(ja3_parse(&j, text, &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_eq(strncmp(err.detail, detail, strlen(detail)), 0, "%s: %s", text, err.detail);
}

Test(ja3, numbers_become_the_names_that_a_tls_library_takes)
{
    struct failure err = { 0 };
    struct ja3 j;

    cr_assert_eq(ja3_parse(&j, "771,4865-49195-10,0-51-45,29-4588-256,0", &err), 0);
    cr_assert_str_eq(j.ciphers.data, "TLS_AES_128_GCM_SHA256:"
                                     "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:"
                                     "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
    cr_assert_str_eq(j.extensions.data, "0-51-45");
    cr_assert_str_eq(j.groups.data, "X25519:X25519MLKEM768:ffdhe2048");
    cr_assert(j.can_resume);
    ja3_destroy(&j);
}

Test(ja3, padding_at_the_end_is_the_librarys_affair)
{
    struct failure err = { 0 };
    struct ja3 j;

    cr_assert_eq(ja3_parse(&j, "771,4865,0-51-21,29,0", &err), 0);
    cr_assert_str_eq(j.extensions.data, "0-51");
    cr_assert_not(j.can_resume);
    ja3_destroy(&j);
    refuses("771,4865,21-0,29,0", "extension 21 (padding)");
    refuses("771,4865,21,29,0", "extension 21 (padding)");
}

Test(ja3, what_cannot_be_sent_is_refused_by_name)
{
    refuses("", "expected version,ciphers,extensions,groups,point formats; these are 1 of 5");
    refuses("771,4865,0,29,0,", "expected version,ciphers,extensions,groups,point formats; these");
    refuses("770,4865,0,29,0", "version: only 771 can be sent");
    refuses("771-771,4865,0,29,0", "version 771 is there twice");
    refuses("771,,0,29,0", "cipher: expected numbers");
    refuses("771,-4865,0,29,0", "cipher: expected numbers");
    refuses("771,4865--4866,0,29,0", "cipher: expected numbers");
    refuses("771,4865 ,0,29,0", "cipher: expected numbers");
    refuses("771,65536,0,29,0", "cipher: expected numbers");
    refuses("771,04865,0,29,0", "cipher: expected numbers");
    refuses("771,99999999999999999999,0,29,0", "cipher: expected numbers");
    refuses("771,1,0,29,0", "cipher 1 is not known");
    refuses("771,64250-4865,0,29,0", "cipher 64250 is GREASE");
    refuses("771,4865,41-0,29,0", "extension 41 (pre_shared_key)");
    refuses("771,4865,22,29,0", "extension 22 is not known");
    refuses("771,4865,0,19,0", "group 19 is not known");
    refuses("771,4865,0,29,0-1", "point format: only 0 can be sent");
}

Test(ja3, a_field_has_at_most_64_numbers)
{
    char text[1024] = "771,";

    for (int i = 1; i <= 65; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i > 1 ? "-" : "", i);
    strcat(text, ",0,29,0");
    refuses(text, "over 64 of cipher");
}

Test(ja3, extensions_may_stand_alone)
{
    struct failure err = { 0 };

    cr_assert_eq(ja3_check_extensions("0-10-65037", &err), 0);
    cr_assert_eq(ja3_check_extensions("", &err), -1);
    cr_assert_str_eq(err.detail, "extension: expected numbers up to 65535 with \"-\" between");
}
