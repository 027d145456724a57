/* test_engine_config.c - the settings of an engine. */

#include "session/engine_config.h"

#include "support/runner.h"

#include <criterion/criterion.h>

Test(engine_config, begins_with_the_defaults_and_the_default_session)
{
    struct engine_config s;

    engine_config_init(&s);
    cr_assert_eq(s.threads, 1);
    cr_assert_eq(s.limits.request_bytes, 16 << 20);
    cr_assert_eq(s.limits.response_bytes, 64 << 20);
    cr_assert_eq(s.limits.buffered_bytes, 512 << 20);
    cr_assert_eq(s.limits.in_flight, 2048);
    cr_assert_eq(s.limits.queue, 2048);
    cr_assert(s.egress.http && s.egress.https && !s.egress.report_only);
    cr_assert_null(s.log.write);
    cr_assert_eq(s.session_count, 1);
    cr_assert_str_eq(s.sessions[0].name, "default");
    engine_config_destroy(&s);
    cr_assert_eq(s.session_count, 0);
    runner_check_leaks();
}
