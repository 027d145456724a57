/*
 * exchange.h - one request of a web server and the answer to it: what a route sees.
 */
#ifndef FASTCGI_EXCHANGE_H
#define FASTCGI_EXCHANGE_H

#include "fetch/fetch.h"
#include "util/buffer.h"
#include "util/failure.h"

#include <stdbool.h>

struct batch_window;
struct fcgi_connection;
struct libfcgi_codec;
struct fcgi_server;
struct route;

#define EXCHANGE_NAME_SIZE 72 /* more than a session's name may have */

struct exchange {
    struct fcgi_server *server;
    struct fcgi_connection *connection;
    struct libfcgi_codec *codec; /* for parameters */
    const struct route *route;
    char name[EXCHANGE_NAME_SIZE]; /* what the path has where the route says "*" */
    struct buffer body;
    struct curlew_fetch *fetch; /* in flight: only to be cancelled; afterwards: the call's */
    struct batch_window *batch; /* many fetches; `fetch` is then the one being written */
    bool streaming;             /* the answer's body is the fetch's stream */
    bool handoff; /* asked for by CURLEW_REQUEST: what the browser gets is the view's to say */
    bool frames;  /* the caller takes application/vnd.curlew.frames */

    /*
     * The answer: head and prefix are the call's, the middle is somebody else's, say the fetch's
     * body.
     */
    struct buffer head, prefix;
    const char *middle, *suffix;
    size_t middle_len, suffix_len;
    size_t sent;   /* of all four, in this order */
    bool answered; /* the answer is there: send it */
    bool partial;  /* but only in part: when it is sent, the route has more, now or later */
    bool broken;   /* it will not become whole, which must not look as if it were */
};

void exchange_init(struct exchange *c);

/* Ready for the next request. */
void exchange_reset(struct exchange *c);

void exchange_destroy(struct exchange *c);

const char *exchange_method(const struct exchange *c);

/* "" where there is none. */
const char *exchange_query(const struct exchange *c);

/*
 * Answer: status, Content-Type and c->prefix … as body.  Further header lines may stand in
 * c->head before.
 */
void exchange_respond(struct exchange *c, int status, const char *type);

/* 204 */
void exchange_respond_empty(struct exchange *c);

/* A problem document. */
void exchange_fail(struct exchange *c, const struct failure *f);

/* It stands for the fetch's body now, which goes. */
void exchange_account_prefix(struct exchange *c);

/* The piece of the answer behind the head is sent: room for another one. */
void exchange_clear_piece(struct exchange *c);

/* What it has in flight, and what it has not yet started. */
void exchange_cancel(struct exchange *c);

/* The next bytes to be sent, at most n of them; 0: none are left. */
size_t exchange_next(struct exchange *c, const char **bytes, size_t n);

#endif
