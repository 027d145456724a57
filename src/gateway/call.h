/*
 * call.h - one request of a web server and the answer to it: what a route sees.
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "fetch/fetch.h"
#include "util/buffer.h"
#include "util/error.h"

#include <stdbool.h>

struct batch_run;
struct connection;
struct fastcgi;
struct gateway;
struct route;

#define CALL_NAME_SIZE 72 /* more than a session's name may have */

struct call {
    struct gateway *gateway;
    struct connection *connection;
    struct fastcgi *fastcgi; /* for parameters */
    const struct route *route;
    char name[CALL_NAME_SIZE]; /* what the path has where the route says "*" */
    struct buffer body;
    struct curlew_fetch *fetch; /* in flight: only to be cancelled; afterwards: the call's */
    struct batch_run *batch;    /* many fetches; `fetch` is then the one being written */
    bool streaming;             /* the answer's body is the fetch's stream */
    bool hand_off; /* asked for by CURLEW_REQUEST: what the browser gets is the view's to say */
    bool frames;   /* the caller takes application/vnd.curlew.frames */

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

void call_init(struct call *c);
void call_reset(struct call *c); /* ready for the next request */
void call_destroy(struct call *c);

const char *call_method(const struct call *c);
const char *call_query(const struct call *c); /* "" where there is none */

/*
 * Answer: status, Content-Type and c->prefix … as body.  Further header lines may stand in
 * c->head before.
 */
void call_answer(struct call *c, int status, const char *type);
void call_answer_empty(struct call *c);                  /* 204 */
void call_fail(struct call *c, const struct failure *f); /* a problem document */

void call_account_prefix(struct call *c); /* it stands for the fetch's body now, which goes */

/* The piece of the answer behind the head is sent: room for another one. */
void call_clear_piece(struct call *c);

void call_cancel(struct call *c); /* what it has in flight, and what it has not yet started */

/* The next bytes to be sent, at most n of them; 0: none are left. */
size_t call_next(struct call *c, const char **bytes, size_t n);

#endif
