/* test_record_parser_order.c - records out of order, and what the parser answers itself. */

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

TestSuite(record_parser_order, .init = setup, .fini = teardown);

/* -- records that are out of order --------------------------------------- */

static void
breaks(void (*write)(void))
{
    record_parser_init(&t.parser);
    buffer_clear(&t.bytes);
    write();
    for (enum record_event v; (v = parser_feed_next(&t)) != RECORD_BROKEN;)
        cr_assert(v != RECORD_MORE || t.bytes.len > 0, "not broken");
}

static void
wrong_version(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    t.bytes.data[0] = 0;
}

static void
begin_of_another_size(void)
{
    record(&t.bytes, FCGI_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0", 7, 0);
}

static void
begin_without_id(void)
{
    begin(&t.bytes, 0, FCGI_RESPONDER, true);
}

static void
second_begin(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
}

static void
stdin_before_its_time(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    body(&t.bytes, 1, "x");
}

static void
params_after_their_end(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    end_of(&t.bytes, FCGI_PARAMS, 1);
    param(&t.bytes, 1, "A", "b");
}

static void
stdin_after_its_end(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    end_of(&t.bytes, FCGI_PARAMS, 1);
    end_of(&t.bytes, FCGI_STDIN, 1);
    body(&t.bytes, 1, "x");
}

static void
data_of_a_filter(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    record(&t.bytes, FCGI_DATA, 1, "x", 1, 0);
}

static void
stdout_from_the_peer(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    record(&t.bytes, FCGI_STDOUT, 1, "x", 1, 0);
}

static void
end_from_the_peer(void)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    record(&t.bytes, FCGI_END_REQUEST, 1, "12345678", 8, 0);
}

Test(record_parser_order, records_out_of_order_are_broken)
{
    breaks(wrong_version);
    breaks(begin_of_another_size);
    breaks(begin_without_id);
    breaks(second_begin);
    breaks(stdin_before_its_time);
    breaks(params_after_their_end);
    breaks(stdin_after_its_end);
    breaks(data_of_a_filter);
    breaks(stdout_from_the_peer);
    breaks(end_from_the_peer);
}

/* -- what is answered here ----------------------------------------------- */

Test(record_parser_order, records_of_requests_that_do_not_exist_are_passed_over)
{
    param(&t.bytes, 5, "A", "b");
    body(&t.bytes, 6, "x");
    record(&t.bytes, FCGI_ABORT_REQUEST, 7, NULL, 0, 0);
    parser_feed_expect(&t, RECORD_MORE);
    parser_feed_open_request(&t);
    body(&t.bytes, 2, "of another");
    parser_feed_expect(&t, RECORD_MORE);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    cr_assert_eq(t.answers.len, 0);
    cr_assert_null(memmem(t.passed.data, t.passed.len, "of another", 10));
}

Test(record_parser_order, a_second_request_at_once_is_turned_away_and_the_first_goes_on)
{
    parser_feed_open_request(&t);
    begin(&t.bytes, 2, FCGI_RESPONDER, true);
    parser_feed_expect(&t, RECORD_MORE);
    parser_feed_answered(&t, FCGI_END_REQUEST, 2, FCGI_CANT_MPX_CONN);
    param(&t.bytes, 2, "A", "b");
    end_of(&t.bytes, FCGI_PARAMS, 2);
    end_of(&t.bytes, FCGI_STDIN, 2);
    parser_feed_expect(&t, RECORD_MORE);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    cr_assert_eq(t.parser.id, 1);
}

Test(record_parser_order, another_role_is_turned_away)
{
    begin(&t.bytes, 1, FCGI_AUTHORIZER, true);
    parser_feed_expect(&t, RECORD_MORE);
    parser_feed_answered(&t, FCGI_END_REQUEST, 1, FCGI_UNKNOWN_ROLE);
    begin(&t.bytes, 1, 257, false);
    t.bytes.data[8] = 1; /* 0x0101 is no responder either */
    parser_feed_expect(&t, RECORD_CLOSE);
    parser_feed_answered(&t, FCGI_END_REQUEST, 1, FCGI_UNKNOWN_ROLE);
    cr_assert_eq(t.passed.len, 0);
}

Test(record_parser_order, the_values_that_are_asked_for_are_told)
{
    static const char asked[] = "\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS\x04\0MORE";
    static const char told[] = "\x0e\x05"
                               "FCGI_MAX_CONNS65535\x0f\x01"
                               "FCGI_MPXS_CONNS0";

    record(&t.bytes, FCGI_GET_VALUES, 0, asked, sizeof asked - 1, 5);
    parser_feed_expect(&t, RECORD_MORE);
    cr_assert_eq(t.answers.len, 8 + sizeof told - 1);
    cr_assert_eq(t.answers.data[1], FCGI_GET_VALUES_RESULT);
    cr_assert_eq(memcmp(t.answers.data + 8, told, sizeof told - 1), 0);
    cr_assert_eq(t.passed.len, 0);
}

Test(record_parser_order, a_management_record_longer_than_it_is_looked_at_is_harmless)
{
    char *content = calloc(1, 65535);

    record(&t.bytes, FCGI_GET_VALUES, 0, content, 65535, 255);
    parser_feed_open_request(&t);
    cr_assert_eq(t.answers.len, 8, "nothing in it is known");
    free(content);
}

Test(record_parser_order, an_unknown_management_record_is_named_as_such)
{
    record(&t.bytes, 42, 0, "x", 1, 0);
    parser_feed_expect(&t, RECORD_MORE);
    parser_feed_answered(&t, FCGI_UNKNOWN_TYPE, 0, 42);
}

Test(record_parser_order, the_web_server_may_take_its_request_back_at_any_time)
{
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    record(&t.bytes, FCGI_ABORT_REQUEST, 1, NULL, 0, 0);
    parser_feed_expect(&t, RECORD_ABORTED);
    record_parser_next(&t.parser);
    parser_feed_open_request(&t);
    record(&t.bytes, FCGI_ABORT_REQUEST, 1, "with content", 12, 7);
    parser_feed_expect(&t, RECORD_ABORTED);
    end_of(&t.bytes, FCGI_STDIN, 1);
    parser_feed_expect(&t, RECORD_REQUEST_DONE);
    record(&t.bytes, FCGI_ABORT_REQUEST, 1, NULL, 0, 0);
    parser_feed_expect(&t, RECORD_ABORTED);
}

/* -- a request that was answered before its end -------------------------- */

static void
answer_early(void)
{
    record_parser_init(&t.parser);
    buffer_clear(&t.bytes);
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    end_of(&t.bytes, FCGI_PARAMS, 1);
    cr_assert_eq(parser_feed_next(&t), RECORD_PARAMS_DONE);
    record_parser_next(&t.parser);
    cr_assert(record_parser_is_skipping(&t.parser));
}

Test(record_parser_order, the_rest_of_an_answered_request_is_owed_up_to_its_end)
{
    answer_early();
    record(&t.bytes, FCGI_STDIN, 1, "rest", 4, 0);
    record(&t.bytes, FCGI_STDIN, 2, "", 0, 0);
    cr_assert_eq(parser_feed_next(&t), RECORD_MORE);
    cr_assert(record_parser_is_skipping(&t.parser));
    end_of(&t.bytes, FCGI_STDIN, 1);
    cr_assert_eq(parser_feed_next(&t), RECORD_MORE);
    cr_assert_not(record_parser_is_skipping(&t.parser));
}

Test(record_parser_order, the_next_request_and_an_abort_end_it_too)
{
    answer_early();
    begin(&t.bytes, 2, FCGI_RESPONDER, true);
    cr_assert_eq(parser_feed_next(&t), RECORD_MORE);
    cr_assert_not(record_parser_is_skipping(&t.parser));
    answer_early();
    record(&t.bytes, FCGI_ABORT_REQUEST, 1, "", 0, 0);
    cr_assert_eq(parser_feed_next(&t), RECORD_MORE);
    cr_assert_not(record_parser_is_skipping(&t.parser));
}

Test(record_parser_order, a_request_that_came_whole_owes_nothing)
{
    record_parser_init(&t.parser);
    buffer_clear(&t.bytes);
    begin(&t.bytes, 1, FCGI_RESPONDER, true);
    end_of(&t.bytes, FCGI_PARAMS, 1);
    end_of(&t.bytes, FCGI_STDIN, 1);
    cr_assert_eq(parser_feed_next(&t), RECORD_PARAMS_DONE);
    cr_assert_eq(parser_feed_next(&t), RECORD_REQUEST_DONE);
    record_parser_next(&t.parser);
    cr_assert_not(record_parser_is_skipping(&t.parser));
}
