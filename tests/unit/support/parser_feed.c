/* parser_feed.c - one parser, fed with records. */

#include "support/parser_feed.h"

#include "support/fcgi_records.h"

#include <criterion/criterion.h>

void
parser_feed_open(struct parser_feed *t)
{
    record_parser_init(&t->parser);
    t->parser.stdin_max = 100;
    buffer_init(&t->bytes, 1 << 22);
    buffer_init(&t->passed, 1 << 22);
    buffer_init(&t->answers, 1 << 22);
}

void
parser_feed_close(struct parser_feed *t)
{
    buffer_free(&t->bytes);
    buffer_free(&t->passed);
    buffer_free(&t->answers);
}

enum record_event
parser_feed_next(struct parser_feed *t)
{
    size_t used = 0;
    enum record_event event =
        record_parser_feed(&t->parser, t->bytes.data, t->bytes.len, &used, &t->passed, &t->answers);

    cr_assert_leq(used, t->bytes.len);
    cr_assert(used == t->bytes.len || event != RECORD_MORE);
    buffer_drop(&t->bytes, used);
    return event;
}

void
parser_feed_expect(struct parser_feed *t, enum record_event wanted)
{
    enum record_event event = parser_feed_next(t);

    cr_assert_eq(event, wanted, "%d, not %d", event, wanted);
}

void
parser_feed_open_request(struct parser_feed *t)
{
    begin(&t->bytes, 1, FCGI_RESPONDER, true);
    param(&t->bytes, 1, "A", "b");
    end_of(&t->bytes, FCGI_PARAMS, 1);
    parser_feed_expect(t, RECORD_PARAMS_DONE);
}

void
parser_feed_answered(struct parser_feed *t, int type, int id, int status)
{
    const unsigned char *a = (const unsigned char *)t->answers.data;

    cr_assert_eq(t->answers.len, 16);
    cr_assert_eq(a[0], 1);
    cr_assert_eq(a[1], type);
    cr_assert_eq(a[2] << 8 | a[3], id);
    cr_assert_eq(a[5], 8, "content");
    cr_assert_eq(type == FCGI_END_REQUEST ? a[12] : a[8], status);
    buffer_clear(&t->answers);
}
