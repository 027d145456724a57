/*
 * fcgi_connection.h - one connection of a web server: a request, its response, and the next one.
 *
 *   READING ──▶ WAITING ──▶ WRITING ──▶ READING …    keep-alive
 *      │           │          │
 *      └───────────┴──────────┴──▶ CLOSED            freed once its fetches have ended
 *                  LINGERING: answered early, what the peer still sends is dropped
 *
 * A connection lives on one worker's thread, and holds memory, never a thread.  This is its data,
 * its socket and its accounts; what happens on it is protocol.c's business.
 */
#ifndef FASTCGI_FCGI_CONNECTION_H
#define FASTCGI_FCGI_CONNECTION_H

#include "fastcgi/exchange.h"
#include "fastcgi/record_parser.h"

/* `in` and `out` up to this size are kept for the next request; `out` has it from the start. */
#define FCGI_CONNECTION_KEEP 16384

/*
 * In a drain, so many hints: one on the idle connection, or after a response, and one more after a
 * response to a request that has crossed the first.
 */
#define FCGI_HINTS 2

enum connection_state {
    CONN_READING,   /* a request, or for the next one */
    CONN_WAITING,   /* for a fetch */
    CONN_WRITING,   /* the response */
    CONN_LINGERING, /* until the peer has stopped sending */
    CONN_CLOSED,
};

/* The part of upload_input.c, of one request. */
struct upload_input {
    bool active; /* the body is an upload */
    bool has_line;
    bool line_too_long;
    size_t scanned; /* of `in`, for the end of the line */
    bool begun;     /* something of the body was passed on */
    bool ended;     /* all of it has come … */
    bool told_end;  /* … and the fetch knows */
    bool dropped;   /* nobody takes it any more */
};

struct fcgi_connection {
    struct watch watch;
    struct fcgi_worker *worker;
    struct link link;       /* among the worker's connections, open or closing */
    struct link ready_link; /* in the worker's ready list */
    struct link idle_link;  /* in its idle list */
    struct timer timer;
    enum connection_state state; /* moved by fcgi_connection_set_state() alone */
    uint32_t events;             /* watched for */
    bool keep_alive;             /* stays open after the response */
    bool has_served;             /* it is a kept one */
    bool is_surplus;             /* accepted while descriptors were short */
    int64_t idle_since_us;
    int64_t head_until_us; /* a request has begun: its head has to be whole; 0: none has */
    bool in_request;       /* libfcgi has the parameters; the server counts it as busy */
    bool finished;         /* all of the response is in `out` */
    int64_t held_until_us; /* it is not sent before, as an upload has not ended; 0: it is */
    int64_t abort_at_us;   /* a response has failed midway: to be aborted then; 0: it has not */
    int64_t sent_us;       /* when bytes were last sent */
    int64_t body_bytes;    /* of the request's body, on the server's account until it is over */
    bool over_budget;      /* the body is dropped: all requests' bodies are over their limit */
    bool body_lost;        /* it is dropped: there was no memory for it */
    bool refused;          /* there was none for the parameters: libfcgi has not got the request */
    int hints;             /* in a drain: how often the peer was due to be told to use it no more */
    struct upload_input upload;
    struct record_parser parser;
    struct buffer in, out; /* records that were checked; records to be sent */
    size_t out_sent;
    struct libfcgi_codec *codec;
    struct exchange exchange;
};

/* All its memory, before there is a socket.  NULL: no memory. */
struct fcgi_connection *fcgi_connection_new(struct fcgi_worker *w,
                                            void (*on_event)(struct watch *watch, uint32_t events),
                                            void (*on_timeout)(struct timer *t));

/* In state READING from here on.  -1: the socket cannot be watched, and is the caller's. */
int fcgi_connection_open(struct fcgi_connection *conn, int fd);

/* At once; cancels its fetches.  The worker frees it later. */
void fcgi_connection_close(struct fcgi_connection *conn);

/* Never opened; or CLOSED, and no fetch in flight, nor work pending. */
void fcgi_connection_free(struct fcgi_connection *conn);

/* Only along the arrows above. */
void fcgi_connection_set_state(struct fcgi_connection *conn, enum connection_state state);

/* Between requests from now on, or not any more. */
void fcgi_connection_set_idle(struct fcgi_connection *conn);
void fcgi_connection_leave_idle(struct fcgi_connection *conn);

/* Does the next request wait in the socket? */
bool fcgi_connection_has_unread(const struct fcgi_connection *conn);

void fcgi_connection_watch(struct fcgi_connection *conn, uint32_t events);

void fcgi_connection_set_timeout(struct fcgi_connection *conn, int seconds);
void fcgi_connection_clear_timeout(struct fcgi_connection *conn);
bool fcgi_connection_has_timeout(const struct fcgi_connection *conn);

/* Its parameters are complete: it counts as busy. */
void fcgi_connection_begin_request(struct fcgi_connection *conn);

/* Answered, or given up: ready for the next one. */
void fcgi_connection_end_request(struct fcgi_connection *conn);

#endif
