/*
 * fetch_fixture.h - fetches as an engine thread has them, with a configuration, without an engine.
 */
#ifndef SUPPORT_FETCH_FIXTURE_H
#define SUPPORT_FETCH_FIXTURE_H

#include "fetch/fetch.h"

struct fetch_fixture {
    struct engine_stats stats;
    struct config_snapshot *config; /* the defaults; 127.0.0.0/8 is allowed */
    struct session *session;        /* "default" */
};

void fetch_fixture_open(struct fetch_fixture *t);
void fetch_fixture_close(struct fetch_fixture *t);

/* A GET of the URL, posted; fetch_unref() frees it. */
struct curlew_fetch *fetch_fixture_new(struct fetch_fixture *t, const char *url);

#endif
