/* ca_pem.c - is a text a bundle of certificates in PEM (RFC 7468)? */

#include "http/ca_pem.h"

#include "util/base64.h"

#include <stdbool.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define DASH  "-----"

struct block {
    const char *label, *body;
    size_t label_size, body_size;
};

/* The next block at or after *at, which moves behind it.  0: none; -1: it has no end. */
static int
next_block(struct block *b, const char **at)
{
    const char *begin = strstr(*at, BEGIN), *label_end, *end;

    if (begin == NULL)
        return 0;
    b->label = begin + strlen(BEGIN);
    if ((label_end = strstr(b->label, DASH)) == NULL)
        return -1;
    b->label_size = (size_t)(label_end - b->label);
    b->body = label_end + strlen(DASH);
    if ((end = strstr(b->body, END)) == NULL ||
        strncmp(end + strlen(END), b->label, b->label_size + strlen(DASH)) != 0)
        return -1;
    b->body_size = (size_t)(end - b->body);
    *at = end + strlen(END) + b->label_size + strlen(DASH);
    return 1;
}

static bool
is_label(const struct block *b, const char *label)
{
    return strlen(label) == b->label_size && memcmp(b->label, label, b->label_size) == 0;
}

static bool
is_certificate(const struct block *b)
{
    return is_label(b, "CERTIFICATE") || is_label(b, "X509 CERTIFICATE") ||
           is_label(b, "TRUSTED CERTIFICATE");
}

/* PRIVATE KEY, RSA PRIVATE KEY, ENCRYPTED PRIVATE KEY, … */
static bool
is_private_key(const struct block *b)
{
    static const char words[] = "PRIVATE KEY";
    size_t n = strlen(words);

    return b->label_size >= n && memcmp(b->label + b->label_size - n, words, n) == 0;
}

/* An ASN.1 SEQUENCE; with `alone`, nothing follows it.  OpenSSL's trust follows in its own form. */
static bool
is_sequence(const unsigned char *der, size_t n, bool alone)
{
    size_t length, octets;

    if (n < 2 || der[0] != 0x30)
        return false;
    if (der[1] < 0x80)
        return alone ? n == 2 + (size_t)der[1] : n >= 2 + (size_t)der[1];
    octets = der[1] & 0x7f;
    if (octets == 0 || octets > 3 || n < 2 + octets)
        return false;
    length = 0;
    for (size_t i = 0; i < octets; i++)
        length = length << 8 | der[2 + i];
    return alone ? n == 2 + octets + length : n >= 2 + octets + length;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 1: it is; 0: it is not; -1: no memory. */
static int
decodes(const struct block *b)
{
    struct buffer text, der;
    int rc;

    buffer_init(&text, CA_PEM_BYTES_MAX);
    buffer_init(&der, CA_PEM_BYTES_MAX);
    for (size_t i = 0, run; i < b->body_size; i += run + 1) {
        for (run = 0; i + run < b->body_size && !is_space(b->body[i + run]); run++)
            ;
        buffer_add(&text, b->body + i, run);
    }
    rc = buffer_ok(&text) ? base64_decode(&der, text.data != NULL ? text.data : "", text.len) : -1;
    if (rc == 0)
        rc = is_sequence((const unsigned char *)der.data, der.len,
                         !is_label(b, "TRUSTED CERTIFICATE"));
    else
        rc = buffer_ok(&text) && buffer_ok(&der) ? 0 : -1;
    buffer_free(&text);
    buffer_free(&der);
    return rc;
}

static int
check_block(const struct block *b, int number, struct failure *err)
{
    int good;

    if (is_private_key(b))
        return failure_set(err, ERROR_BAD_REQUEST, "holds a private key; send certificates only");
    if (!is_certificate(b))
        return 0;
    if ((good = decodes(b)) < 0)
        return failure_no_memory(err);
    return good
               ? 0
               : failure_set(err, ERROR_BAD_REQUEST, "certificate %d is not base64 of one", number);
}

int
ca_pem_check(const char *pem, size_t n, struct failure *err)
{
    struct block b;
    int count = 0, rc;

    if (n > CA_PEM_BYTES_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d bytes", CA_PEM_BYTES_MAX);
    while ((rc = next_block(&b, &pem)) > 0) {
        count += is_certificate(&b);
        if (check_block(&b, count, err) != 0)
            return -1;
    }
    if (rc < 0)
        return failure_set(err, ERROR_BAD_REQUEST, "a block of the PEM has no end");
    return count > 0 ? 0
                     : failure_set(err, ERROR_BAD_REQUEST,
                                   "expected certificates in PEM, or sha256: and 64 hex digits of "
                                   "a bundle that was given before");
}
