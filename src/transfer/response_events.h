/*
 * response_events.h - what the response reader reports while a response comes in.
 *
 * The reader decides nothing about redirects, retries or pauses: it asks, and does as it is told.
 * All of it is called from libcurl's callbacks, on the thread that has the fetch.
 */
#ifndef TRANSFER_RESPONSE_EVENTS_H
#define TRANSFER_RESPONSE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct curlew_fetch;

enum head_verdict {
    HEAD_FINAL,    /* this response is the fetch's */
    HEAD_REDIRECT, /* to be followed: nobody reads the body */
    HEAD_RETRY,    /* another attempt follows: nobody reads the body, which may be cut short */
};

#define RESPONSE_EVENTS_UNTIL_RESUMED INT64_MAX

struct response_events {
    /*
     * A head with a status of 200 or more is complete.  is_challenge: libcurl sends the
     * request once more, as digest authentication begins with it, or it refuses an Expect field.
     */
    enum head_verdict (*on_headers)(struct curlew_fetch *f, bool is_challenge);

    /* Its connection stands: no longer does the connect timeout run. */
    void (*on_connected)(struct curlew_fetch *f);

    /* The transfer pauses: until that time, or until its reader resumes it. */
    void (*on_pause)(struct curlew_fetch *f, int64_t until_us);

    /* libcurl has not what it needs to go on with it, as f->failure says: it is to end, soon. */
    void (*on_lost)(struct curlew_fetch *f);
};

#endif
