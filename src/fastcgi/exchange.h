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
struct upload_size;

#define EXCHANGE_LARGE          (256 * 1024) /* a body over so many bytes is not read on a worker */
#define EXCHANGE_WAITS_MAX      64           /* large ones that wait for a helper thread */
#define EXCHANGE_LARGE_RESPONSE (4 << 20) /* likewise, an origin's body that becomes an envelope */
#define EXCHANGE_NAME_SIZE      72        /* more than a session's name may have */

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

/* The mail of a work that has ended; other mail to a worker is about fetches. */
#define EXCHANGE_WORK_ENDED (-1)

/* On a helper thread, and then on the exchange's own. */
struct exchange_work {
    struct task task;
    struct mail mail;
    void (*run)(struct exchange *x);
    void (*then)(struct exchange *x);
    int status;           /* of the response, where run() knows it */
    bool pending;         /* the exchange is the helper thread's, but for its connection */
    bool is_large;        /* counted among those */
    atomic_bool given_up; /* nobody waits for it any more */
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
    struct exchange_work work;
    uint64_t token;         /* the route's: whose request it is */
    struct failure failure; /* of the work */
    /* In flight: only to be cancelled.  Ended: the route's; of a batch, the one being written. */
    struct curlew_fetch *fetch;
    int in_flight;   /* fetches */
    bool cancelled;  /* its caller has left, or takes it back: counted */
    bool streaming;  /* the response's body is the fetch's stream */
    bool is_surplus; /* its connection is beyond the limit of open files: no fetch for it */
    bool handoff;    /* asked for by CURLEW_REQUEST: what the browser gets is the view's to say */
    bool frames;     /* the caller takes application/vnd.curlew.frames */
    bool uploads;    /* the body is a request object's line, and what follows it */
    void (*on_upload)(struct exchange *x); /* its fetch waits for the upload; NULL: it doesn't */

    /*
     * The response: head and prefix are the exchange's own, the middle belongs to somebody else,
     * say it is the fetch's body.
     */
    struct buffer head, prefix;
    const char *middle, *suffix;
    size_t middle_len, suffix_len;
    size_t sent;     /* of all four, in this order */
    bool answered;   /* the response is there: send it */
    bool wants_turn; /* next_chunk() has stopped as the turn got long: call it in the next one */
    bool partial;    /* but only in part: when it is sent, next_chunk() has more, now or later */
    bool broken;     /* it will not become whole, which must not look as if it were */
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

/* Likewise, but x->body is the first line alone: what follows goes to the fetch's upload. */
void exchange_read_upload(struct exchange *x, void (*on_line)(struct exchange *x));

/* -- work that may take long ---------------------------------------------- */

/*
 * From on_body() or the handler: run(x), then then(x).  Where the body is large, run(x) is called
 * on the server's reader thread: it may use the request, x->fetch, x->route_data, x->prefix and
 * x->failure, which nobody else does meanwhile, and must not respond.  If the web server leaves,
 * then() is not called.  -1 with `err`: overloaded, and neither is.
 */
int exchange_read(struct exchange *x, void (*run)(struct exchange *x),
                  void (*then)(struct exchange *x), struct failure *err);

/*
 * The same for a response that is made of `size` bytes, on the writer thread; where that has too
 * much to do, at once.
 */
void exchange_write(struct exchange *x, size_t size, void (*run)(struct exchange *x),
                    void (*then)(struct exchange *x));

/*
 * From the handler: somebody else works for it, then then(x), once exchange_work_done(x) was called
 * on any thread.  If the web server leaves, then() is not called.
 */
void exchange_await_work(struct exchange *x, void (*then)(struct exchange *x));
void exchange_work_done(struct exchange *x);

/* The mail of its work has come: the exchange is its own thread's again. */
void exchange_work_ended(struct exchange *x);

/* then(x), or the response to somebody who has given up. */
void exchange_finish_work(struct exchange *x);

/* -- fetches ------------------------------------------------------------- */

/* Is a fetch refused, whatever it is?  0; or -1 with `err`: descriptors are short. */
int exchange_check_room(const struct exchange *x, struct failure *err);

/* Start a fetch: x->ops say what happens when it has ended.  -1 with f->failure. */
int exchange_fetch(struct exchange *x, struct curlew_fetch *f);

/* Before exchange_fetch(): the body of x->fetch will be streamed.  -1: no memory. */
int exchange_open_stream(struct exchange *x);

/* Likewise: the body of x's request will be that of x->fetch's.  -1: no memory. */
int exchange_open_upload(struct exchange *x, const struct upload_size *size);

/* Before exchange_fetch(): then(x) once something of the upload has come, or its end. */
void exchange_await_upload(struct exchange *x, void (*then)(struct exchange *x));

/* One started with exchange_fetch() has ended. */
void exchange_fetch_ended(struct exchange *x);

/* Cancel what is in flight, and what has not yet been started.  The request counts as cancelled. */
void exchange_cancel(struct exchange *x);

/* -- the response -------------------------------------------------------- */

/*
 * Respond: status, Content-Type and x->prefix … as body.  Further header lines may stand in
 * x->head before.
 */
void exchange_respond(struct exchange *x, int status, const char *type);

/*
 * Head and prefix are written: was there memory for both?  -1: no, and x responds that in their
 * place, with what needs none.
 */
int exchange_check_response(struct exchange *x);

/* That response, of n bytes. */
const char *exchange_no_memory_response(size_t *n);

/* 204 */
void exchange_respond_empty(struct exchange *x);

/* A problem document. */
void exchange_fail(struct exchange *x, const struct failure *f);

/* The same for its fetch, with the response that it failed after, where there is one. */
void exchange_fail_fetch(struct exchange *x, const struct failure *f);

/* The web server has aborted its request: no bytes are left to send. */
void exchange_discard_response(struct exchange *x);

/*
 * The prefix stands for the fetch's body now, which is freed.  -1 with err: it is so much larger
 * that all bodies together would be over limits.buffered_bytes.
 */
int exchange_account_prefix(struct exchange *x, struct failure *err);

/* The piece of the response behind the head is sent: room for another one. */
void exchange_clear_piece(struct exchange *x);

/* The route sends the response in pieces, as they come. */
bool exchange_has_chunks(const struct exchange *x);

/* The next bytes to be sent, at most n of them; 0: none are left, or none now. */
size_t exchange_next(struct exchange *x, const char **bytes, size_t n);

#endif
