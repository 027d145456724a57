/* test_url_param.c - what is written into a URL: parameters, percent-encoded. */

#include "http/url.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *
with_param(const char *text, const char *name, const char *value)
{
    static struct buffer b;

    buffer_free(&b);
    buffer_init(&b, 1000);
    buffer_adds(&b, text);
    url_add_param(&b, name, value);
    cr_assert(buffer_ok(&b));
    return b.data;
}

Test(url_param, a_parameter_joins_the_query)
{
    cr_assert_str_eq(with_param("http://a/", "x", "1"), "http://a/?x=1");
    cr_assert_str_eq(with_param("http://a/?y=2", "x", "1"), "http://a/?y=2&x=1");
    cr_assert_str_eq(with_param("http://a/?", "x", "1"), "http://a/?x=1");
    cr_assert_str_eq(with_param("http://a/?y&", "x", "1"), "http://a/?y&x=1");
    cr_assert_str_eq(with_param("http://a/", "", ""), "http://a/?=");
}

Test(url_param, a_parameter_is_percent_encoded)
{
    cr_assert_str_eq(with_param("http://a/", "a b&c", "d=e+f/\u00e9~-._"),
                     "http://a/?a%20b%26c=d%3De%2Bf%2F%C3%A9~-._");
}

Test(url_param, encoding_leaves_the_unreserved_and_takes_every_byte)
{
    struct buffer b;
    char all[256];

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    buffer_init(&b, 3 * 256);
    url_encode(&b, all, sizeof all);

    cr_assert(buffer_ok(&b));
    cr_assert_eq(b.len, 66 + 3 * (256 - 66), "26 + 26 + 10 + 4 are unreserved");
    cr_assert_eq(strncmp(b.data, "%00%01", 6), 0);
    buffer_free(&b);
}
