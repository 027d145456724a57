/* test_fetch_response.c - a fetch's result as a piece of the response: an envelope or a frame. */

#include "routes/fetch_response.h"

#include "session/body_account.h"
#include "support/route_fixture.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <string.h>

static struct route_fixture t;
static struct failure err;

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

TestSuite(fetch_response, .init = setup, .fini = teardown, .timeout = 30);

static void
choose(const char *accept)
{
    ROUTE_ACCEPT(&t, "HTTP_ACCEPT", accept);
    fetch_response_choose_format(&t.x);
}

static void
have_result(void)
{
    t.x.fetch = runner_do(t.server.engine, runner_fetch("%s/", t.origin.url));
}

Test(fetch_response, frames_are_for_those_who_accept_them)
{
    choose("application/json, " FETCH_RESPONSE_FRAMES ";q=0.5");
    cr_assert(t.x.frames);
}

Test(fetch_response, a_weight_of_zero_refuses_frames)
{
    choose("*/*, " FETCH_RESPONSE_FRAMES ";q=0");
    cr_assert_not(t.x.frames);
}

Test(fetch_response, without_an_accept_it_is_an_envelope)
{
    choose("*/*");
    cr_assert_not(t.x.frames);
}

Test(fetch_response, an_envelope_has_a_copy_of_the_body)
{
    have_result();
    cr_assert_eq(fetch_response_write(&t.x, &err), 0);
    cr_assert_not_null(strstr(t.x.prefix.data, "\"body\":\"ok\""));
    cr_assert_eq(t.x.fetch->response.body.len, 0, "freed: the envelope has it");
    cr_assert_eq(t.x.middle_len, 0);
}

/* Of 200,000 control characters, six bytes each in JSON. */
static void
have_result_that_grows(void)
{
    struct curlew_fetch *f;

    have_result();
    f = t.x.fetch;
    buffer_free(&f->response.body);
    memset(buffer_room(&f->response.body, 200000), 1, 200000);
    f->response.body.len = 200000;
    fetch_set_buffered(f, 200000);
    f->request.response_body = BODY_TEXT;
}

Test(fetch_response, an_envelope_that_grows_beyond_buffered_bytes_is_refused)
{
    struct body_account *all;

    have_result_that_grows();
    all = t.x.fetch->config->bodies;
    body_account_add(all, t.x.fetch->config->limits.buffered_bytes - 1000000);
    cr_assert_eq(fetch_response_write(&t.x, &err), -1);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    cr_assert_not_null(strstr(err.detail, "limits.buffered_bytes"));
    cr_assert_eq(t.x.prefix.data, NULL, "freed");
    body_account_subtract(all, t.x.fetch->config->limits.buffered_bytes - 1000000);
    cr_assert_eq(counter_read(&all->bytes), 0);
}

Test(fetch_response, one_that_stays_within_it_is_accounted)
{
    have_result_that_grows();
    cr_assert_eq(fetch_response_write(&t.x, &err), 0);
    cr_assert_gt(t.x.prefix.len, 1200000);
    cr_assert_eq(counter_read(&t.x.fetch->config->bodies->bytes), (int64_t)t.x.prefix.len);
}

Test(fetch_response, a_frame_points_to_the_body)
{
    have_result();
    t.x.frames = true;
    cr_assert_eq(fetch_response_write(&t.x, &err), 0);
    cr_assert_eq(t.x.prefix.data[t.x.prefix.len - 1], '\n');
    cr_assert_eq(t.x.middle, t.x.fetch->response.body.data);
    cr_assert_eq(t.x.middle_len, 2);
    cr_assert_str_eq(t.x.suffix, "\n");
}
