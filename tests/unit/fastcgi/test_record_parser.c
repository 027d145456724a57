/* test_record_parser.c - what libfcgi may see of what a peer sends. */

#include "fastcgi/record_parser.h"

#include "support/fcgi_records.h"
#include "support/parser_feed.h"

#include <criterion/criterion.h>

static struct parser_feed t;

static void
setup(void)
{
    parser_feed_open(&t);
}

static void
teardown(void)
{
    parser_feed_close(&t);
}

TestSuite(record_parser, .init = setup, .fini = teardown);

/* -- one request --------------------------------------------------------- */

Test(record_parser, a_whole_request_passes_as_it_is)
{
    struct buffer copy;

    buffer_init(&copy, 1 << 20);
    parser_feed_open_request(&t);
    body(&t.bytes, 1, "body");
    parser_feed_expect(&t, RECORD_MORE);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);

    begin(&copy, 1, FCGI_RESPONDER, true);
    param(&copy, 1, "A", "b");
    end_of(&copy, FCGI_PARAMS, 1);
    body(&copy, 1, "body");
    end_of(&copy, FCGI_STDIN, 1);
    cr_assert_eq(t.passed.len, copy.len);
    cr_assert_eq(memcmp(t.passed.data, copy.data, copy.len), 0);
    cr_assert_eq(t.answers.len, 0);
    cr_assert(t.parser.keep);
    buffer_free(&copy);
}

Test(record_parser, padding_and_the_reserved_byte_stay_behind)
{
    parser_feed_open_request(&t);
    record(&t.bytes, FCGI_STDIN, 1, "body", 4, 255);
    t.bytes.data[7] = 'r';
    buffer_clear(&t.passed);
    parser_feed_expect(&t, RECORD_MORE);

    cr_assert_eq(t.passed.len, 8 + 4);
    cr_assert_eq(t.passed.data[6], 0);
    cr_assert_eq(t.passed.data[7], 0);
    cr_assert_eq(memcmp(t.passed.data + 8, "body", 4), 0);
}

Test(record_parser, a_request_cut_into_single_bytes_is_the_same_request)
{
    struct buffer all = { .max = 1 << 20 };
    int heads = 0, completes = 0;

    begin(&all, 7, FCGI_RESPONDER, false);
    param(&all, 7, "NAME", "value");
    end_of(&all, FCGI_PARAMS, 7);
    record(&all, FCGI_STDIN, 7, "body", 4, 3);
    end_of(&all, FCGI_STDIN, 7);
    for (size_t i = 0; i < all.len; i++) {
        size_t used;
        enum record_event v =
            record_parser_feed(&t.parser, all.data + i, 1, &used, &t.passed, &t.answers);

        cr_assert_eq(used, 1);
        heads += v == RECORD_PARAMS_DONE;
        completes += v == RECORD_REQUEST_DONE;
    }
    cr_assert_eq(heads, 1);
    cr_assert_eq(completes, 1);
    cr_assert_not(t.parser.keep);
    cr_assert_eq(t.parser.id, 7);
    buffer_free(&all);
}

Test(record_parser, the_bytes_of_an_upload_pass_alone_and_of_any_number)
{
    parser_feed_open_request(&t);
    buffer_clear(&t.passed);
    t.parser.stdin_max = 3;
    record_parser_pass_bytes(&t.parser);
    body(&t.bytes, 1, "up");
    record(&t.bytes, FCGI_STDIN, 1, "load", 4, 3);
    parser_feed_expect(&t, RECORD_MORE);
    cr_assert_eq(t.passed.len, 6);
    cr_assert_eq(memcmp(t.passed.data, "upload", 6), 0);
    record_parser_drop(&t.parser);
    body(&t.bytes, 1, "dropped");
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    cr_assert_eq(t.passed.len, 6);
    cr_assert_eq(t.parser.stdin_bytes, 6);
    record_parser_next(&t.parser);
    cr_assert_not(t.parser.bytes);
}

Test(record_parser, after_the_answer_the_next_request_may_come)
{
    for (int id = 1; id <= 3; id++) {
        cr_assert(record_parser_is_idle(&t.parser));
        begin(&t.bytes, id, FCGI_RESPONDER, true);
        end_of(&t.bytes, FCGI_PARAMS, id);
        parser_feed_expect(&t, RECORD_PARAMS_DONE);
        cr_assert_not(record_parser_is_idle(&t.parser));
        end_of(&t.bytes, FCGI_STDIN, id);
        parser_feed_expect(&t, RECORD_REQUEST_DONE);
        record_parser_next(&t.parser);
    }
}

Test(record_parser, a_hint_is_an_empty_record_of_the_last_request)
{
    static const char hint[8] = { FCGI_VERSION_1, FCGI_STDERR, 0, 3 };

    begin(&t.bytes, 3, FCGI_RESPONDER, true);
    end_of(&t.bytes, FCGI_PARAMS, 3);
    parser_feed_expect(&t, RECORD_PARAMS_DONE);
    end_of(&t.bytes, FCGI_STDIN, 3);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    record_parser_next(&t.parser);
    record_parser_hint(&t.parser, &t.answers);
    cr_assert_eq(t.answers.len, sizeof hint);
    cr_assert_arr_eq(t.answers.data, hint, sizeof hint);
}

Test(record_parser, a_half_record_is_not_idle)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    t.bytes.len = 3;
    parser_feed_expect(&t, RECORD_MORE);
    cr_assert_not(record_parser_is_idle(&t.parser));
}

/* -- limits -------------------------------------------------------------- */

Test(record_parser, a_body_of_the_limit_passes_and_of_one_byte_more_is_too_large)
{
    char text[102] = "";

    memset(text, 'x', 100);
    parser_feed_open_request(&t);
    body(&t.bytes, 1, text);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    record_parser_next(&t.parser);

    parser_feed_open_request(&t);
    text[100] = 'x';
    body(&t.bytes, 1, text);
    parser_feed_expect(&t, RECORD_TOO_LARGE);
    cr_assert(t.parser.dropping);
}

Test(record_parser, what_is_left_of_a_body_too_large_is_dropped_up_to_its_end)
{
    parser_feed_open_request(&t);
    for (int i = 0; i < 11; i++)
        body(&t.bytes, 1, "ten bytes!");
    parser_feed_expect(&t, RECORD_TOO_LARGE);
    buffer_clear(&t.passed);
    for (int i = 0; i < 1000; i++)
        body(&t.bytes, 1, "ten bytes!");
    parser_feed_expect(&t, RECORD_MORE);
    cr_assert_eq(t.passed.len, 0);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    record_parser_next(&t.parser);
    cr_assert_not(t.parser.dropping);
    parser_feed_open_request(&t);
}

/* The request is whole once: bytes after its end are no second end. */
Test(record_parser, a_body_too_large_does_not_end_twice)
{
    parser_feed_open_request(&t);
    t.parser.dropping = true;
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_BROKEN);
}
