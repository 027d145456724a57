/* test_ca_pem.c - is a text a bundle of certificates in PEM (RFC 7468)? */

#include "http/ca_pem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CERT(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"
#define TRUSTED(body) \
    "-----BEGIN TRUSTED CERTIFICATE-----\n" body "\n-----END TRUSTED CERTIFICATE-----\n"
#define ONE "MAMCAQE=" /* a sequence of one integer */

static struct failure err;

static int
check(const char *pem)
{
    err = (struct failure){ 0 };
    return ca_pem_check(pem, strlen(pem), &err);
}

static void
takes(const char *pem)
{
    cr_assert_eq(check(pem), 0, "%s: %s", pem, err.detail);
}

static void
refuses(const char *pem, const char *detail)
{
    cr_assert_eq(check(pem), -1, "%s", pem);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_not_null(strstr(err.detail, detail), "%s", err.detail);
}

Test(ca_pem, takes_what_bundles_look_like)
{
    takes(CERT(ONE));
    takes(CERT(ONE) CERT(ONE));
    takes("# Text of any kind\n=====\n" CERT(ONE) "and more of it");
    takes("-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQE=\r\n-----END CERTIFICATE-----\r\n");
    takes("-----BEGIN X509 CERTIFICATE-----\nMAMCAQE=\n-----END X509 CERTIFICATE-----");
    takes(TRUSTED("MAMCAQEwAwIBAQ==")); /* OpenSSL's trust behind it */
    takes("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n" CERT(ONE));
}

Test(ca_pem, takes_each_form_of_a_length)
{
    static const char head[] = "-----BEGIN CERTIFICATE-----\n",
                      tail[] = "-----END CERTIFICATE-----";
    char pem[1000];

    /* 30 81 82 and 130 zero bytes: 133 in base64's 180 digits */
    strcpy(pem, head);
    strcat(pem, "MIGC");
    for (int i = 0; i < 43; i++)
        strcat(pem, "AAAA");
    strcat(pem, "AA==");
    strcat(pem, tail);
    takes(pem);
    pem[strlen(head) + 3] = 'B'; /* says 129: one byte is left over */
    refuses(pem, "certificate 1 is not base64 of one");
}

Test(ca_pem, names_what_is_no_certificate)
{
    refuses("", "expected certificates in PEM");
    refuses("x", "expected certificates in PEM");
    refuses("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n",
            "expected certificates in PEM");
    refuses(CERT(""), "certificate 1 is not base64 of one");
    refuses(CERT("MAMCAQE"), "certificate 1 is not base64 of one");
    refuses(CERT("MAMC\x01"
                 "AQE="),
            "certificate 1 is not base64 of one");
    refuses(CERT("MAQCAQE="), "certificate 1 is not base64 of one"); /* cut */
    refuses(CERT("MAMCAQEA"), "certificate 1 is not base64 of one"); /* a byte too many */
    refuses(CERT("AgMCAQE="), "certificate 1 is not base64 of one"); /* no sequence */
    refuses(CERT("MIACAQE="), "certificate 1 is not base64 of one"); /* of no length */
    refuses(CERT("MIQAAAAA"), "certificate 1 is not base64 of one"); /* of far too many bytes */
    refuses(CERT("MIMAAA=="), "certificate 1 is not base64 of one"); /* the length is cut */
    refuses(CERT(ONE) CERT("!"), "certificate 2 is not base64 of one");
    refuses("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n", "has no end");
    refuses("-----BEGIN CERTIFICATE", "has no end");
    refuses("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATES-----", "has no end");
}

Test(ca_pem, takes_no_private_key)
{
    refuses(CERT(ONE) "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
            "holds a private key; send certificates only");
    refuses("-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n" CERT(ONE),
            "holds a private key; send certificates only");
}

Test(ca_pem, has_a_limit)
{
    char *pem = malloc(CA_PEM_BYTES_MAX + 2);
    size_t n = strlen(CERT(ONE));

    memset(pem, '\n', CA_PEM_BYTES_MAX + 1);
    memcpy(pem, CERT(ONE), n);
    pem[CA_PEM_BYTES_MAX] = '\0';
    takes(pem);
    pem[CA_PEM_BYTES_MAX] = '\n';
    pem[CA_PEM_BYTES_MAX + 1] = '\0';
    refuses(pem, "over 1048576 bytes");
    free(pem);
}
