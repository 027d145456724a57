/* fetch_fixture.c - fetches as an engine thread has them, without an engine. */

#include "support/fetch_fixture.h"

#include "support/runner.h"
#include "util/clock.h"

#include <criterion/criterion.h>
#include <string.h>

void
fetch_fixture_open(struct fetch_fixture *t)
{
    struct engine_config settings;
    struct failure err = { 0 };

    memset(&t->stats, 0, sizeof t->stats);
    runner_settings(&settings);
    t->config = config_snapshot_new(&settings, NULL, &err);
    engine_config_destroy(&settings);
    cr_assert_not_null(t->config, "%s", err.detail);
    t->session = config_snapshot_find_session(t->config, "default");
}

void
fetch_fixture_close(struct fetch_fixture *t)
{
    config_snapshot_unref(t->config);
    runner_check_leaks();
}

struct curlew_fetch *
fetch_fixture_new(struct fetch_fixture *t, const char *url)
{
    struct curlew_fetch *f = fetch_new();

    cr_assert_not_null(f);
    cr_assert_eq(url_parse(&f->url, url, &f->failure), 0, "%s", f->failure.detail);
    f->request.url = strdup(url);
    f->stats = &t->stats;
    f->config = config_snapshot_ref(t->config);
    f->session = t->session;
    f->method = "GET";
    f->same_origin = true;
    f->submitted_us = f->posted_us = clock_us();
    fetch_set_state(f, FETCH_POSTED);
    return f;
}
