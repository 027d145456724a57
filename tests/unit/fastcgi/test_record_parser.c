/* test_record_parser.c - what libfcgi may see of what a peer sends. */

#include "support/parser_feed.h"

TestSuite(record_parser, .init = setup, .fini = teardown);

/* -- one request --------------------------------------------------------- */

Test(record_parser, a_whole_request_passes_as_it_is)
{
    struct buffer copy;

    buffer_init(&copy, 1 << 20);
    open_request();
    body(&bytes, 1, "body");
    gives(RECORD_MORE);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);

    begin(&copy, 1, FCGI_RESPONDER, true);
    param(&copy, 1, "A", "b");
    end_of(&copy, FCGI_PARAMS, 1);
    body(&copy, 1, "body");
    end_of(&copy, FCGI_STDIN, 1);
    cr_assert_eq(passed.len, copy.len);
    cr_assert_eq(memcmp(passed.data, copy.data, copy.len), 0);
    cr_assert_eq(answers.len, 0);
    cr_assert(s.keep);
    buffer_free(&copy);
}

Test(record_parser, padding_and_the_reserved_byte_stay_behind)
{
    open_request();
    record(&bytes, FCGI_STDIN, 1, "body", 4, 255);
    bytes.data[7] = 'r';
    buffer_clear(&passed);
    gives(RECORD_MORE);

    cr_assert_eq(passed.len, 8 + 4);
    cr_assert_eq(passed.data[6], 0);
    cr_assert_eq(passed.data[7], 0);
    cr_assert_eq(memcmp(passed.data + 8, "body", 4), 0);
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
        enum record_event v = record_parser_feed(&s, all.data + i, 1, &used, &passed, &answers);

        cr_assert_eq(used, 1);
        heads += v == RECORD_PARAMS_DONE;
        completes += v == RECORD_REQUEST_DONE;
    }
    cr_assert_eq(heads, 1);
    cr_assert_eq(completes, 1);
    cr_assert_not(s.keep);
    cr_assert_eq(s.id, 7);
    buffer_free(&all);
}

Test(record_parser, after_the_answer_the_next_request_may_come)
{
    for (int id = 1; id <= 3; id++) {
        cr_assert(record_parser_is_idle(&s));
        begin(&bytes, id, FCGI_RESPONDER, true);
        end_of(&bytes, FCGI_PARAMS, id);
        gives(RECORD_PARAMS_DONE);
        cr_assert_not(record_parser_is_idle(&s));
        end_of(&bytes, FCGI_STDIN, id);
        gives(RECORD_REQUEST_DONE);
        record_parser_next(&s);
    }
}

Test(record_parser, a_half_record_is_not_idle)
{
    begin(&bytes, 1, FCGI_RESPONDER, true);
    bytes.len = 3;
    gives(RECORD_MORE);
    cr_assert_not(record_parser_is_idle(&s));
}

/* -- limits -------------------------------------------------------------- */

Test(record_parser, a_body_of_the_limit_passes_and_of_one_byte_more_is_too_large)
{
    char text[102] = "";

    memset(text, 'x', 100);
    open_request();
    body(&bytes, 1, text);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    record_parser_next(&s);

    open_request();
    text[100] = 'x';
    body(&bytes, 1, text);
    gives(RECORD_TOO_LARGE);
    cr_assert(s.dropping);
}

Test(record_parser, what_is_left_of_a_body_too_large_is_dropped_up_to_its_end)
{
    open_request();
    for (int i = 0; i < 11; i++)
        body(&bytes, 1, "ten bytes!");
    gives(RECORD_TOO_LARGE);
    buffer_clear(&passed);
    for (int i = 0; i < 1000; i++)
        body(&bytes, 1, "ten bytes!");
    gives(RECORD_MORE);
    cr_assert_eq(passed.len, 0);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    record_parser_next(&s);
    cr_assert_not(s.dropping);
    open_request();
}

/* The request is whole once: bytes after its end are no second end. */
Test(record_parser, a_body_too_large_does_not_end_twice)
{
    open_request();
    s.dropping = true;
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_REQUEST_DONE);
    end_of(&bytes, FCGI_STDIN, 1);
    gives(RECORD_BROKEN);
}
