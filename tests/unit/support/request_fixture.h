/*
 * request_fixture.h - what the tests of the request object share.
 */
#ifndef SUPPORT_REQUEST_FIXTURE_H
#define SUPPORT_REQUEST_FIXTURE_H

#include "message/request_json.h"

#include <criterion/criterion.h>
#include <string.h>

static struct request r;
static struct failure err;

static inline void
setup(void)
{
    request_init(&r);
    err = (struct failure){ 0 };
}

static inline void
teardown(void)
{
    request_destroy(&r);
}

/* Read afresh, with success; the result is in r. */
static inline void
takes(const char *text)
{
    teardown();
    setup();
    cr_assert_eq(request_json_parse(&r, text, strlen(text), &err), 0, "%s: %s", text, err.detail);
}

static inline void
refuses(const char *text, const char *detail)
{
    teardown();
    setup();
    cr_assert_eq(request_json_parse(&r, text, strlen(text), &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_BAD_REQUEST, "%s", text);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

static inline void
lacks(const char *text, const char *detail)
{
    teardown();
    setup();
    cr_assert_eq(request_json_parse(&r, text, strlen(text), &err), -1, "%s", text);
    cr_assert_eq(err.error, ERROR_UNSUPPORTED, "%s", text);
    cr_assert_str_eq(err.detail, detail, "%s gave: %s", text, err.detail);
}

#define URL "\"url\":\"http://a/\""

#endif
