/*
 * handle_fixture.h - a fetch that has libcurl's handle, as a hop has it, without an engine.
 */
#ifndef SUPPORT_HANDLE_FIXTURE_H
#define SUPPORT_HANDLE_FIXTURE_H

#include "support/fetch_fixture.h"
#include "transfer/handle_cache.h"

struct handle_fixture {
    struct fetch_fixture fetches;
    struct handle_cache cache;
    struct curlew_fetch *fetch; /* of http://a.test/ */
};

void handle_fixture_open(struct handle_fixture *t);
void handle_fixture_close(struct handle_fixture *t);

#endif
