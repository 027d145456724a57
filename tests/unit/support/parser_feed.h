/*
 * parser_feed.h - what the tests of the record parser share: one parser, fed with records.
 */
#ifndef SUPPORT_PARSER_FEED_H
#define SUPPORT_PARSER_FEED_H

#include "fastcgi/record_parser.h"
#include "support/fcgi_records.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct record_parser s;
static struct buffer bytes, passed, answers;

static inline void
setup(void)
{
    record_parser_init(&s);
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

/* Feeds what has been written so far, up to the first event; what is left stays in `bytes`. */
static inline enum record_event
feed(void)
{
    size_t used = 0;
    enum record_event event =
        record_parser_feed(&s, bytes.data, bytes.len, &used, &passed, &answers);

    cr_assert_leq(used, bytes.len);
    cr_assert(used == bytes.len || event != RECORD_MORE);
    buffer_drop(&bytes, used);
    return event;
}

static inline void
gives(enum record_event wanted)
{
    enum record_event event = feed();

    cr_assert_eq(event, wanted, "%d, not %d", event, wanted);
}

/* A request has begun, and its parameters are whole. */
static inline void
open_request(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    param(&bytes, 1, "A", "b");
    end_of(&bytes, FCGI_PARAMS, 1);
    gives(RECORD_PARAMS_DONE);
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
    cr_assert_eq(type == FCGI_END_REQUEST ? a[12] : a[8], status);
    buffer_clear(&answers);
}

#endif
