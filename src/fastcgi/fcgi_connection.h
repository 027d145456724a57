/*
 * fcgi_connection.h - one connection of a web server: a request, its answer, and the next one.
 *
 *   READING ──▶ PARKED ──▶ WRITING ──▶ READING …     keep-alive
 *      │           │          │
 *      └───────────┴──────────┴──▶ GONE              closed; waits for its fetches, if any
 *                  LINGERING: answered early, what the peer still sends is dropped
 *
 * A connection lives on one responder's thread, and holds memory, never a thread.
 */
#ifndef FASTCGI_FCGI_CONNECTION_H
#define FASTCGI_FCGI_CONNECTION_H

#include "event/loop.h"
#include "fastcgi/exchange.h"
#include "fastcgi/record_parser.h"
#include "util/list.h"

struct fcgi_worker;

#define FCGI_READ_TIMEOUT_S   10  /* for the next bytes of a request that has begun */
#define FCGI_WRITE_TIMEOUT_S  60  /* for a peer that reads none of its answer */
#define FCGI_STREAM_TIMEOUT_S 600 /* for one that reads none of a stream: a paused player, say */

enum connection_state { READING, PARKED, WRITING, LINGERING, GONE };

struct fcgi_connection {
    struct watch watch;
    struct fcgi_worker *worker;
    struct link place; /* among the responder's connections */
    struct link stir;  /* likewise, among those whose fetches came back in this turn */
    struct timer timer;
    enum connection_state state;
    uint32_t events; /* watched for */
    bool keep;       /* open after the answer */
    bool opened;     /* libfcgi has the request's parameters; the gateway counts it as busy */
    int waiting;     /* how many fetches of the call are in flight */
    bool finished;   /* all of the answer is in `out` */
    bool breaking;   /* an answer has failed midway: to be broken off when the timer fires */
    int64_t sent_us; /* when bytes were last sent */
    int64_t held;    /* bytes of the request's body, on the gateway's account until it is over */
    bool crowded;    /* the body is dropped, as those of all requests are over their limit */
    struct record_parser parser;
    struct buffer in, out; /* screened records; records to be sent */
    size_t out_sent;
    struct libfcgi_codec *codec;
    struct exchange exchange;
};

/* Takes the fd; -1: no memory, closed. */
int fcgi_connection_open(struct fcgi_worker *w, int fd);

/* At once; cancels its fetches. */
void fcgi_connection_close(struct fcgi_connection *conn);

/* The same, and what has been sent of an answer does not look like the whole of it. */
void fcgi_connection_cut(struct fcgi_connection *conn);

/* In connection_fetches.c. */

/* One more fetch of its call is in flight. */
void fcgi_connection_fetch_started(struct fcgi_connection *conn);

/* And now it is back. */
void fcgi_connection_on_fetch_done(struct fcgi_connection *conn, struct curlew_fetch *f);

/* Its fetch's stream has something new. */
void fcgi_connection_on_stream_readable(struct fcgi_connection *conn);

/* For the writing of answers, in reply.c. */
struct loop *fcgi_connection_loop(struct fcgi_connection *conn);
struct fcgi_server *fcgi_connection_server(struct fcgi_connection *conn);
void fcgi_connection_watch(struct fcgi_connection *conn, uint32_t events);
void fcgi_connection_set_timeout(struct fcgi_connection *conn, int seconds);

/* Empty; a large one gives its memory back. */
void fcgi_connection_reset_buffer(struct buffer *b);

void fcgi_connection_request_done(struct fcgi_connection *conn);

/* GONE, and no fetch in flight. */
void fcgi_connection_free(struct fcgi_connection *conn);

#endif
