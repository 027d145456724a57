/* test_akamai.c - Akamai's text for an HTTP/2 client. */

#include "fingerprint/akamai.h"

#include <criterion/criterion.h>
#include <string.h>

static void
refuses(const char *text, const char *detail)
{
    struct failure err = { 0 };
    struct akamai a;

    cr_assert_eq(akamai_parse(&a, text, &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_eq(strncmp(err.detail, detail, strlen(detail)), 0, "%s: %s", text, err.detail);
}

Test(akamai, a_text_is_taken_apart)
{
    struct failure err = { 0 };
    struct akamai a;

    cr_assert_eq(akamai_parse(&a, "1:65536,2:0;4:131072|12517377|3:0:0:201,5:1:3:1|m,p,a,s", &err),
                 0);
    cr_assert_str_eq(a.settings, "1:65536;2:0;4:131072");
    cr_assert_eq(a.window_update, 12517377);
    cr_assert_str_eq(a.streams, "3:0:0:201,5:1:3:1");
    cr_assert_str_eq(a.pseudo, "mpas");
    cr_assert_eq(akamai_parse(&a, "9:1|00|0|masp", &err), 0);
    cr_assert_eq(a.window_update, 0);
    cr_assert_str_eq(a.streams, "");
    cr_assert_str_eq(a.pseudo, "masp");
}

Test(akamai, settings_are_within_rfc_9113_and_what_a_stream_may_hold)
{
    struct failure err = { 0 };
    struct akamai a;

    cr_assert_eq(
        akamai_parse(&a, "3:4294967295;4:16777216;5:16384;6:0;8:1|2147418112|0|masp", &err), 0);
    refuses("2:2|0|0|masp", "setting 2: expected 0 to 1");
    refuses("4:16777217|0|0|masp", "setting 4: expected 0 to 16777216");
    refuses("5:16383|0|0|masp", "setting 5: expected 16384 to 16777215");
    refuses("3:4294967296|0|0|masp", "setting 3: expected");
    refuses("7:1|0|0|masp", "setting 7 is not known");
    refuses("11:1|0|0|masp", "setting 11 is not known");
    refuses("1:1;1:1;1:1;1:1;1:1;1:1;1:1;1:1;1:1|0|0|masp", "over 8 settings");
    refuses("1:1|2147418113|0|masp", "window update: expected 0 to 2147418112");
}

Test(akamai, what_is_no_such_text_is_refused_by_its_part)
{
    refuses("", "expected settings|window update|priorities|pseudo headers; these are 1 of 4");
    refuses("1:1|0|0|masp|", "expected settings|window update|priorities|pseudo headers; these");
    refuses("|0|0|masp", "settings: expected id:value");
    refuses("1|0|0|masp", "settings: expected id:value");
    refuses("1:|0|0|masp", "settings: expected id:value");
    refuses("1:1;|0|0|masp", "settings: expected id:value");
    refuses("04:1|0|0|masp", "settings: expected id:value");
    refuses("1:1 |0|0|masp", "settings: expected id:value");
    refuses("1:11111111111|0|0|masp", "settings: expected id:value");
    refuses("1:1|x|0|masp", "window update");
    refuses("1:1||0|masp", "window update");
    refuses("1:1|0||masp", "priorities");
    refuses("1:1|0|3:0:0|masp", "priorities");
    refuses("1:1|0|3:0:0:257|masp", "priorities");
    refuses("1:1|0|0:0:0:1|masp", "priorities");
    refuses("1:1|0|3:0:0:1,|masp", "priorities");
    refuses("1:1|0|3:0:0:1:1|masp", "priorities");
    refuses("1:1|0|0|mas", "pseudo headers");
    refuses("1:1|0|0|maspm", "pseudo headers");
    refuses("1:1|0|0|mmsp", "pseudo headers");
    refuses("1:1|0|0|,m,a,s,p", "pseudo headers");
    refuses("1:1|0|0|m,a,s,p,", "pseudo headers");
    refuses("1:1|0|0|M,a,s,p", "pseudo headers");
}

Test(akamai, the_text_and_its_priorities_have_a_limit)
{
    char text[AKAMAI_BYTES_MAX + 64] = "1:1|0|";

    for (int i = 0; i < 33; i++)
        strcat(text, i == 0 ? "3:0:0:1" : ",3:0:0:1");
    strcat(text, "|masp");
    refuses(text, "over 32 priorities");
    memset(text + 6, '0', AKAMAI_BYTES_MAX);
    strcpy(text + AKAMAI_BYTES_MAX, "|masp");
    refuses(text, "over 1023 bytes");
}
