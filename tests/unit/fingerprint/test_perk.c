/* test_perk.c - curl_cffi's text for an HTTP/3 client. */

#include "fingerprint/perk.h"

#include <criterion/criterion.h>
#include <string.h>

static void
refuses(const char *text, const char *detail)
{
    struct failure err = { 0 };
    struct perk p;

    cr_assert_eq(perk_parse(&p, text, &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_eq(strncmp(err.detail, detail, strlen(detail)), 0, "%s: %s", text, err.detail);
}

Test(perk, a_text_is_taken_apart)
{
    struct failure err = { 0 };
    struct perk p;

    cr_assert_eq(
        perk_parse(&p, "1:65536;7:100;GREASE|m,a,s,p|1:30000;15:AUTO;17:1@1,GREASE;GREASE", &err),
        0);
    cr_assert_str_eq(p.settings, "1:65536;7:100;GREASE");
    cr_assert_str_eq(p.pseudo, "masp");
    cr_assert_str_eq(p.parameters, "1:30000;15:AUTO;17:1@1,GREASE;GREASE");
    cr_assert_eq(perk_parse(&p, "|masp|12;15:", &err), 0);
    cr_assert_str_eq(p.settings, "");
}

Test(perk, what_is_no_such_text_is_refused_by_its_part)
{
    refuses("", "expected settings|pseudo headers|transport parameters");
    refuses("1:1|masp", "expected settings|");
    refuses("1:1|masp||", "expected settings|");
    refuses("1|masp|", "settings: expected GREASE or id:value");
    refuses(";|masp|", "settings: expected GREASE or id:value");
    refuses("1:|masp|", "settings: 1: expected 0");
    refuses("7:AUTO|masp|", "settings: 7: expected 0");
    refuses("1:1048577|masp|", "settings: 1: expected 0 to 1048576");
    refuses("1:1|masq|", "pseudo headers");
    refuses("|masp|x", "transport parameters: expected GREASE or id:value");
    refuses("|masp|1:a b", "transport parameters: 1: expected 0");
    refuses("|masp|1:1234567890123456789", "transport parameters: 1: expected 0");
}

Test(perk, windows_are_what_a_stream_may_hold)
{
    struct failure err = { 0 };
    struct perk p;

    cr_assert_eq(perk_parse(&p, "|masp|4:67108864;5:16777216;6:16777216;7:16777216", &err), 0);
    refuses("|masp|4:67108865", "transport parameters: 4: expected 0 to 67108864");
    refuses("|masp|5:16777217", "transport parameters: 5: expected 0 to 16777216");
    refuses("|masp|7:0xffffffff", "transport parameters: 7: expected 0 to 16777216");
}
