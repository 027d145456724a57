/* test_route_batch.c - POST …/v1/batch: many fetches, and a line for each as it ends. */

#include "routes/route_batch.h"

#include "support/route_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static struct route_fixture t;

static void
setup(void)
{
    route_fixture_open(&t);
}

static void
teardown(void)
{
    route_fixture_close(&t);
}

TestSuite(route_batch, .init = setup, .fini = teardown, .timeout = 30);

/* All that comes until the batch is done. */
static void
run(struct buffer *lines)
{
    buffer_init(lines, 1 << 20);
    route_batch_on_request(&t.x);
    buffer_adds(lines, route_fixture_response(&t));
    while (t.x.partial) {
        while (t.x.ops->next_chunk(&t.x))
            buffer_adds(lines, route_fixture_response(&t));
        route_fixture_await(&t);
    }
}

Test(route_batch, every_request_gets_a_line_also_a_bad_one)
{
    struct buffer lines;

    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t,
                           "{\"requests\":[{\"url\":\"%s/\"},{\"url\":\"nowhere\"},"
                           "{\"url\":\"%s/x\"}],\"order\":\"input\"}",
                           t.origin.url, t.origin.url);
    run(&lines);
    cr_assert_not_null(strstr(lines.data, "Content-Type: application/x-ndjson\r\n"));
    cr_assert_not_null(strstr(lines.data, "\"index\":0"));
    cr_assert_not_null(strstr(lines.data, "\"code\":\"bad_url\""));
    cr_assert_not_null(strstr(lines.data, "\"index\":2"));
    cr_assert_lt(strstr(lines.data, "\"index\":0"), strstr(lines.data, "\"index\":2"));
    buffer_free(&lines);
}

Test(route_batch, what_is_no_batch_is_a_problem_document)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_batch_on_request(&t.x);
    route_fixture_expect(&t, "the body is empty: a batch object is needed");
}

Test(route_batch, a_connection_beyond_the_limit_of_open_files_gets_none)
{
    ROUTE_ACCEPT(&t, "REQUEST_METHOD", "POST");
    route_fixture_set_body(&t, "{\"requests\":[]}");
    t.x.is_surplus = true;
    route_batch_on_request(&t.x);
    route_fixture_expect(&t, "\"code\":\"overloaded\"");
}
