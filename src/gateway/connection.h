/*
 * connection.h - one connection of a web server: a request, its answer, and the next one.
 *
 *   READING ──▶ PARKED ──▶ WRITING ──▶ READING …     keep-alive
 *      │           │          │
 *      └───────────┴──────────┴──▶ GONE              closed; waits for its fetches, if any
 *                  LINGERING: answered early, what the peer still sends is dropped
 *
 * A connection lives on one responder's thread, and holds memory, never a thread.
 */
#ifndef GATEWAY_CONNECTION_H
#define GATEWAY_CONNECTION_H

#include "event/loop.h"
#include "gateway/call.h"
#include "gateway/screen.h"
#include "util/list.h"

struct responder;

#define CONNECTION_PATIENCE_S 10  /* for the next bytes of a request that has begun */
#define CONNECTION_WRITE_S    60  /* for a peer that reads none of its answer */
#define CONNECTION_STREAM_S   600 /* for one that reads none of a stream: a paused player, say */

enum connection_state { READING, PARKED, WRITING, LINGERING, GONE };

struct connection {
    struct watch watch;
    struct responder *responder;
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
    struct screen screen;
    struct buffer in, out; /* screened records; records to be sent */
    size_t out_sent;
    struct fastcgi *fastcgi;
    struct call call;
};

int connection_open(struct responder *r, int fd); /* takes the fd; -1: no memory, closed */
void connection_close(struct connection *c);      /* at once; cancels its fetches */

/* The same, and what has been sent of an answer does not look like the whole of it. */
void connection_cut(struct connection *c);

/* In connection_fetches.c. */
void connection_waits(struct connection *c); /* one more fetch of its call is in flight */
void connection_fetched(struct connection *c, struct curlew_fetch *f); /* and now it is back */
void connection_noticed(struct connection *c); /* its fetch's stream has something new */

/* For the writing of answers, in reply.c. */
struct loop *connection_loop(struct connection *c);
struct gateway *connection_gateway(struct connection *c);
void connection_watch_for(struct connection *c, uint32_t events);
void connection_be_patient(struct connection *c, int seconds);
void connection_reset_buffer(struct buffer *b); /* empty; a large one gives its memory back */
void connection_request_over(struct connection *c);
void connection_free(struct connection *c); /* GONE, and no fetch in flight */

#endif
