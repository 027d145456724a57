/* test_record_parser_order.c - records out of order, and what the parser answers itself. */

#include "support/parser_feed.h"

TestSuite(record_parser_order, .init = setup, .fini = teardown);

/* -- records that are out of order --------------------------------------- */

static void
breaks(void (*write)(void))
{
    record_parser_init(&s);
    buffer_clear(&bytes);
    write();
    for (enum record_event v; (v = feed()) != RECORD_BROKEN;)
        cr_assert(v != RECORD_MORE || bytes.len > 0, "not broken");
}

static void
wrong_version(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    bytes.data[0] = 0;
}

static void
begin_of_another_size(void)
{
    record(&bytes, FCGI_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0", 7, 0);
}

static void
begin_without_id(void)
{
    begin(&bytes, 0, FCGI_RESPONDER, true);
}

static void
second_begin(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    begin(&bytes, 1, FCGI_RESPONDER, true);
}

static void
stdin_before_its_time(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    body(&bytes, 1, "x");
}

static void
params_after_their_end(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    end_of(&bytes, FCGI_PARAMS, 1);
    param(&bytes, 1, "A", "b");
}

static void
stdin_after_its_end(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    end_of(&bytes, FCGI_PARAMS, 1);
    end_of(&bytes, FCGI_STDIN, 1);
    body(&bytes, 1, "x");
}

static void
data_of_a_filter(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    record(&bytes, FCGI_DATA, 1, "x", 1, 0);
}

static void
stdout_from_the_peer(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    record(&bytes, FCGI_STDOUT, 1, "x", 1, 0);
}

static void
end_from_the_peer(void)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    record(&bytes, FCGI_END_REQUEST, 1, "12345678", 8, 0);
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
    param(&bytes, 5, "A", "b");
    body(&bytes, 6, "x");
    record(&bytes, FCGI_ABORT_REQUEST, 7, NULL, 0, 0);
    gives(RECORD_MORE);
    open_request();
    body(&bytes, 2, "of another");
    gives(RECORD_MORE);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    cr_assert_eq(answers.len, 0);
    cr_assert_null(memmem(passed.data, passed.len, "of another", 10));
}

Test(record_parser_order, a_second_request_at_once_is_turned_away_and_the_first_goes_on)
{
    open_request();
    begin(&bytes, 2, FCGI_RESPONDER, true);
    gives(RECORD_MORE);
    answered_with(FCGI_END_REQUEST, 2, FCGI_CANT_MPX_CONN);
    param(&bytes, 2, "A", "b");
    end_of(&bytes, FCGI_PARAMS, 2);
    end_of(&bytes, FCGI_STDIN, 2);
    gives(RECORD_MORE);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    cr_assert_eq(s.id, 1);
}

Test(record_parser_order, another_role_is_turned_away)
{
    begin(&bytes, 1, FCGI_AUTHORIZER, true);
    gives(RECORD_MORE);
    answered_with(FCGI_END_REQUEST, 1, FCGI_UNKNOWN_ROLE);
    begin(&bytes, 1, 257, false);
    bytes.data[8] = 1; /* 0x0101 is no responder either */
    gives(RECORD_CLOSE);
    answered_with(FCGI_END_REQUEST, 1, FCGI_UNKNOWN_ROLE);
    cr_assert_eq(passed.len, 0);
}

Test(record_parser_order, the_values_that_are_asked_for_are_told)
{
    static const char asked[] = "\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS\x04\0MORE";
    static const char told[] = "\x0e\x05"
                               "FCGI_MAX_CONNS65535\x0f\x01"
                               "FCGI_MPXS_CONNS0";

    record(&bytes, FCGI_GET_VALUES, 0, asked, sizeof asked - 1, 5);
    gives(RECORD_MORE);
    cr_assert_eq(answers.len, 8 + sizeof told - 1);
    cr_assert_eq(answers.data[1], FCGI_GET_VALUES_RESULT);
    cr_assert_eq(memcmp(answers.data + 8, told, sizeof told - 1), 0);
    cr_assert_eq(passed.len, 0);
}

Test(record_parser_order, a_management_record_longer_than_it_is_looked_at_is_harmless)
{
    char *content = calloc(1, 65535);

    record(&bytes, FCGI_GET_VALUES, 0, content, 65535, 255);
    open_request();
    cr_assert_eq(answers.len, 8, "nothing in it is known");
    free(content);
}

Test(record_parser_order, an_unknown_management_record_is_named_as_such)
{
    record(&bytes, 42, 0, "x", 1, 0);
    gives(RECORD_MORE);
    answered_with(FCGI_UNKNOWN_TYPE, 0, 42);
}

Test(record_parser_order, the_web_server_may_take_its_request_back_at_any_time)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    record(&bytes, FCGI_ABORT_REQUEST, 1, NULL, 0, 0);
    gives(RECORD_ABORTED);
    record_parser_next(&s);
    open_request();
    record(&bytes, FCGI_ABORT_REQUEST, 1, "with content", 12, 7);
    gives(RECORD_ABORTED);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    record(&bytes, FCGI_ABORT_REQUEST, 1, NULL, 0, 0);
    gives(RECORD_ABORTED);
}
