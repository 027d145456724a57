/* test_params.c - the name-value pairs of a request, measured before libfcgi reads them. */

#include "fastcgi/params.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct params p;

/* The stream afresh, in slices of so many bytes: 1: whole; 0: may not end here; -1: refused. */
static int
feed(const char *bytes, size_t n, size_t slice)
{
    memset(&p, 0, sizeof p);
    for (size_t at = 0; at < n; at += slice)
        if (!params_feed(&p, bytes + at, slice < n - at ? slice : n - at))
            return -1;
    return params_between(&p);
}

/* However it is cut. */
static void
is(int wanted, const char *bytes, size_t n)
{
    for (size_t slice = 1; slice <= n; slice++)
        cr_assert_eq(feed(bytes, n, slice), wanted, "in slices of %zu", slice);
}

#define IS(wanted, text) is(wanted, text, sizeof(text) - 1)

Test(params, no_bytes_are_no_pair)
{
    cr_assert_eq(feed("", 0, 1), 1);
}

Test(params, pairs_may_end_after_each_of_them)
{
    IS(1, "\x01\x01Nv");
    IS(1, "\x01\x01Nv\x02\x03NNvvv");
    IS(1, "\x01\x00N");
    IS(1, "\x00\x01v");
    IS(1, "\x00\x00");
    IS(1, "\x00\x00\x00\x00\x01\x01Nv");
}

Test(params, lengths_of_four_bytes_may_be_short)
{
    IS(1, "\x80\x00\x00\x01\x01Nv");
    IS(1, "\x01\x80\x00\x00\x01Nv");
    IS(1, "\x80\x00\x00\x00\x80\x00\x00\x00");
}

Test(params, a_pair_cut_short_may_not_be_the_end)
{
    IS(0, "\x01");
    IS(0, "\x80");
    IS(0, "\x80\x00\x00");
    IS(0, "\x80\x00\x00\x01");
    IS(0, "\x01\x01");
    IS(0, "\x01\x01N");
    IS(0, "\x01\x80\x00\x00");
    IS(0, "\x02\x00N");
    IS(0, "\x01\x01Nv\x01");
}

Test(params, a_length_over_the_limit_is_refused_before_its_bytes_come)
{
    IS(-1, "\xff\xff\xff\xff");
    IS(-1, "\x80\x04\x00\x01");
    IS(-1, "\x01\xff\xff\xff\xff");
    IS(0, "\x80\x04\x00\x00");
}

Test(params, what_would_not_be_a_C_string_is_refused)
{
    IS(-1, "\x02\x01N\0v");
    IS(-1, "\x01\x02Nv\0");
    IS(-1, "\x01\x01\0");
    IS(-1, "\x02\x01N=v");
    IS(1, "\x01\x02N=v");
}

/* One pair whose bytes, lengths included, are so many. */
static int
feed_all(size_t all, size_t slice)
{
    size_t n = all - 1 - 4 - 1; /* one byte for the name's length, four for the value's, one name */
    char *bytes = malloc(all);
    int is;

    memcpy(bytes, "\x01\x80\x00\x00\x00N", 6);
    bytes[2] = (char)(n >> 16);
    bytes[3] = (char)(n >> 8);
    bytes[4] = (char)n;
    memset(bytes + 6, 'v', n);
    is = feed(bytes, all, slice);
    free(bytes);
    return is;
}

Test(params, exactly_256_KiB_are_taken)
{
    cr_assert_eq(feed_all(PARAMS_MAX, PARAMS_MAX), 1);
    cr_assert_eq(feed_all(PARAMS_MAX, 1000), 1);
    cr_assert_eq(feed_all(PARAMS_MAX + 1, PARAMS_MAX + 1), -1);
    cr_assert_eq(feed_all(PARAMS_MAX + 1, 1000), -1);
}

Test(params, many_small_pairs_count_together)
{
    int i = 0;

    memset(&p, 0, sizeof p);
    while (params_feed(&p, "\x01\x01Nv", 4))
        i++;
    cr_assert_eq(i, PARAMS_MAX / 4);
}

Test(params, pairs_are_counted)
{
    memset(&p, 0, sizeof p);
    cr_assert(params_feed(&p, "\x01\x01Nv\x00\x00\x01\x00N", 9));
    cr_assert(params_between(&p));
    cr_assert_eq(p.pairs, 3);
}
