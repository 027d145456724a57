/*
 * exchange.h - one request of a web server and the response to it: all that a route sees.
 *
 * The server's handler gets an exchange as soon as its parameters are complete.  It asks for the
 * body with exchange_read_body(), starts fetches with exchange_fetch(), or responds.
 */
#ifndef FASTCGI_EXCHANGE_H
#define FASTCGI_EXCHANGE_H

#include "fastcgi/fcgi_state.h"
#include "fetch/fetch.h"
#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

struct libfcgi_codec;

#define EXCHANGE_NAME_SIZE 72 /* more than a session's name may have */

/* What a route does while its fetches are in flight.  NULL: nothing. */
struct exchange_ops {
    /* f has ended: respond. */
    void (*on_fetch_done)(struct exchange *x, struct curlew_fetch *f);
    /* The head of x->fetch's stream is there: set x->streaming. */
    void (*on_headers)(struct exchange *x);
    /* The next piece of a partial response; false: none now. */
    bool (*next_chunk)(struct exchange *x);
    /* f has ended, also where the web server has left meanwhile. */
    void (*log_fetch)(const struct exchange *x, const struct curlew_fetch *f);
    /* Cancel what is in flight, and start no more.  NULL: cancel x->fetch. */
    void (*cancel)(struct exchange *x);
    /* The exchange is over, and nothing is in flight: free x->route_data. */
    void (*free_route_data)(struct exchange *x);
};

struct exchange {
    struct fcgi_server *server;
    struct fcgi_worker *worker; /* on whose thread the exchange lives */
    struct libfcgi_codec *codec;
    void (*on_body)(struct exchange *x); /* NULL: the body is not wanted */
    const struct exchange_ops *ops;
    void *route_data;
    char name[EXCHANGE_NAME_SIZE]; /* what the path has where the route says "*" */
    struct buffer body;
    /* In flight: only to be cancelled.  Ended: the route's; of a batch, the one being written. */
    struct curlew_fetch *fetch;
    int in_flight;  /* fetches */
    bool streaming; /* the response's body is the fetch's stream */
    bool handoff;   /* asked for by CURLEW_REQUEST: what the browser gets is the view's to say */
    bool frames;    /* the caller takes application/vnd.curlew.frames */

    /*
     * The response: head and prefix are the exchange's own, the middle belongs to somebody else,
     * say it is the fetch's body.
     */
    struct buffer head, prefix;
    const char *middle, *suffix;
    size_t middle_len, suffix_len;
    size_t sent;   /* of all four, in this order */
    bool answered; /* the response is there: send it */
    bool partial;  /* but only in part: when it is sent, next_chunk() has more, now or later */
    bool broken;   /* it will not become whole, which must not look as if it were */
};

void exchange_init(struct exchange *x);

/* Ready for the next request. */
void exchange_reset(struct exchange *x);

void exchange_destroy(struct exchange *x);

/* -- the request --------------------------------------------------------- */

/* A FastCGI parameter.  NULL: absent. */
const char *exchange_param(const struct exchange *x, const char *name);

const char *exchange_method(const struct exchange *x);

/* "" where there is none. */
const char *exchange_query(const struct exchange *x);

/* From the handler: on_body() is called once x->body is complete.  Otherwise it is dropped. */
void exchange_read_body(struct exchange *x, void (*on_body)(struct exchange *x));

/* -- fetches ------------------------------------------------------------- */

/* Start a fetch: x->ops say what happens when it has ended.  -1 with f->failure. */
int exchange_fetch(struct exchange *x, struct curlew_fetch *f);

/* Before exchange_fetch(): the body of x->fetch will be streamed.  -1: no memory. */
int exchange_open_stream(struct exchange *x);

/* One started with exchange_fetch() has ended. */
void exchange_fetch_ended(struct exchange *x);

/* Cancel what is in flight, and what has not yet been started. */
void exchange_cancel(struct exchange *x);

/* -- the response -------------------------------------------------------- */

/*
 * Respond: status, Content-Type and x->prefix … as body.  Further header lines may stand in
 * x->head before.
 */
void exchange_respond(struct exchange *x, int status, const char *type);

/* 204 */
void exchange_respond_empty(struct exchange *x);

/* A problem document. */
void exchange_fail(struct exchange *x, const struct failure *f);

/* The web server has aborted its request: no bytes are left to send. */
void exchange_discard_response(struct exchange *x);

/* The prefix stands for the fetch's body now, which is freed. */
void exchange_account_prefix(struct exchange *x);

/* The piece of the response behind the head is sent: room for another one. */
void exchange_clear_piece(struct exchange *x);

/* The route sends the response in pieces, as they come. */
bool exchange_has_chunks(const struct exchange *x);

/* The next bytes to be sent, at most n of them; 0: none are left, or none now. */
size_t exchange_next(struct exchange *x, const char **bytes, size_t n);

#endif
