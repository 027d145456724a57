/*
 * screen_feed.h - what the tests of the screen share: one screen, fed with records.
 */
#ifndef UNIT_SUPPORT_SCREEN_FEED_H
#define UNIT_SUPPORT_SCREEN_FEED_H

#include "fcgi_records.h"
#include "gateway/screen.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct screen s;
static struct buffer bytes, passed, answers;

static inline void
setup(void)
{
    screen_init(&s);
    s.stdin_max = 100;
    buffer_init(&bytes, 1 << 22);
    buffer_init(&passed, 1 << 22);
    buffer_init(&answers, 1 << 22);
}

static inline void
teardown(void)
{
    buffer_free(&bytes);
    buffer_free(&passed);
    buffer_free(&answers);
}

/* Feeds what has been written so far, up to the first verdict; what is left stays in `bytes`. */
static inline enum screen_verdict
feed(void)
{
    size_t used = 0;
    enum screen_verdict v = screen_feed(&s, bytes.data, bytes.len, &used, &passed, &answers);

    cr_assert_leq(used, bytes.len);
    cr_assert(used == bytes.len || v != SCREEN_MORE);
    buffer_drop(&bytes, used);
    return v;
}

static inline void
gives(enum screen_verdict wanted)
{
    enum screen_verdict v = feed();

    cr_assert_eq(v, wanted, "%d, not %d", v, wanted);
}

/* A request has begun, and its parameters are whole. */
static inline void
open_request(void)
{
    begin(&bytes, 1, RESPONDER, true);
    param(&bytes, 1, "A", "b");
    end_of(&bytes, PARAMS, 1);
    gives(SCREEN_HEAD);
}

static inline void
answered_with(int type, int id, int status)
{
    const unsigned char *a = (const unsigned char *)answers.data;

    cr_assert_eq(answers.len, 16);
    cr_assert_eq(a[0], 1);
    cr_assert_eq(a[1], type);
    cr_assert_eq(a[2] << 8 | a[3], id);
    cr_assert_eq(a[5], 8, "content");
    cr_assert_eq(type == END ? a[12] : a[8], status);
    buffer_clear(&answers);
}

#endif
