/* test_sha256.c - SHA-256 (FIPS 180-4) of bytes in memory. */

#include "util/sha256.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *
hash(const char *text, size_t n)
{
    static char hex[SHA256_HEX_SIZE];

    sha256_hex(hex, text, n);
    return hex;
}

Test(util_sha256, of_the_standards_examples)
{
    cr_assert_str_eq(hash("", 0),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_str_eq(hash("abc", 3),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_assert_str_eq(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* The end of the bytes on each side of where a block has room for the length. */
Test(util_sha256, of_every_length_around_a_block)
{
    static const struct {
        size_t n;
        const char *hex;
    } lengths[] = {
        { 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
        { 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
        { 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
        { 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
        { 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    };
    char *as = malloc(1000000);

    memset(as, 'a', 1000000);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        cr_assert_str_eq(hash(as, lengths[i].n), lengths[i].hex, "%zu", lengths[i].n);
    free(as);
}
