/*
 * fuzz_fingerprint.c - any bytes as a JA3, Akamai or HTTP/3 text: refused with a reason, or taken
 * apart into what libcurl-impersonate reads as it was meant.
 *
 * Its own readers are lax: they skip what they don't know and look past the end of a setting
 * without a value.  So the parts are read again as it would, and must not leave anything out.
 */

#include "fingerprint/akamai.h"
#include "fingerprint/ja3.h"
#include "fingerprint/perk.h"
#include "fuzz_input.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_refusal(const struct failure *err)
{
    check_that(err->error == ERROR_BAD_REQUEST && err->detail[0] != '\0', "a reason", err->detail);
}

static size_t
count(const char *text, char c)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += *text == c;
    return n;
}

static void
try_ja3(const char *text)
{
    struct failure err = { 0 };
    struct ja3 j;
    int version, formats;
    char ciphers[JA3_BYTES_MAX], extensions[JA3_BYTES_MAX], groups[JA3_BYTES_MAX];

    if (strlen(text) > JA3_BYTES_MAX)
        return;
    if (ja3_parse(&j, text, &err) != 0) {
        check_refusal(&err);
        return;
    }
    check_that(sscanf(text, "%d,%[0-9-],%[0-9-],%[0-9-],%d", &version, ciphers, extensions, groups,
                      &formats) == 5,
               "five fields", text);
    check_that(count(j.ciphers.data, ':') == count(ciphers, '-'), "all ciphers", text);
    check_that(count(j.groups.data, ':') == count(groups, '-'), "all groups", text);
    check_that(strncmp(extensions, j.extensions.data, j.extensions.len) == 0 &&
                   (extensions[j.extensions.len] == '\0' ||
                    strcmp(extensions + j.extensions.len, "-21") == 0),
               "all extensions", text);
    check_that(ja3_check_extensions(j.extensions.data, &err) == 0, "they stand alone", text);
    ja3_destroy(&j);
}

/* As populate_settings() of libcurl-impersonate does. */
static void
check_settings(const char *settings)
{
    char copy[AKAMAI_BYTES_MAX], *rest, *at;
    size_t n = 0;

    strcpy(copy, settings);
    for (at = strtok_r(copy, ";", &rest); at != NULL; at = strtok_r(NULL, ";", &rest), n++) {
        check_that(strchr("12345689", at[0]) != NULL && at[1] == ':', "a setting", settings);
        check_that(strtoull(at + 2, NULL, 10) <= UINT32_MAX, "its value", settings);
    }
    check_that(n >= 1 && n <= 8 && n == count(settings, ';') + 1, "all settings", settings);
}

static void
check_pseudo(const char *pseudo, const char *text)
{
    check_that(strlen(pseudo) == 4 && strchr(pseudo, 'm') != NULL && strchr(pseudo, 'a') != NULL &&
                   strchr(pseudo, 's') != NULL && strchr(pseudo, 'p') != NULL,
               "pseudo headers", text);
}

static void
try_akamai(const char *text)
{
    struct failure err = { 0 };
    struct akamai a;

    if (akamai_parse(&a, text, &err) != 0) {
        check_refusal(&err);
        return;
    }
    check_settings(a.settings);
    check_pseudo(a.pseudo, text);
    check_that(a.window_update >= 0 && a.window_update <= INT32_MAX - 65535, "the window", text);
    check_that(strspn(a.streams, "0123456789:,") == strlen(a.streams), "priorities", text);
    check_that(*a.streams == '\0' || count(a.streams, ':') == 3 * (count(a.streams, ',') + 1),
               "priorities", text);
}

static void
try_perk(const char *text)
{
    struct failure err = { 0 };
    struct perk p;
    char again[2 * PERK_BYTES_MAX + 16];

    if (perk_parse(&p, text, &err) != 0) {
        check_refusal(&err);
        return;
    }
    check_pseudo(p.pseudo, text);
    for (const char *at = p.parameters; *at != '\0'; at++)
        check_that((unsigned char)*at > ' ' && (unsigned char)*at < 0x7f && *at != '|', "printable",
                   text);
    snprintf(again, sizeof again, "%s|%s|%s", p.settings, p.pseudo, p.parameters);
    check_that(perk_parse(&p, again, &err) == 0, "taken again", text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = '\0';
    try_ja3(text);
    try_akamai(text);
    try_perk(text);
    free(text);
    return 0;
}
