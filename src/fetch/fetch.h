/*
 * fetch.h - one fetch: the request, where it stands, the response or the failure.
 *
 * The state says who owns it: the caller (NEW and DONE), or one engine thread (all between).  It
 * moves forward only, except that a redirect or a retry puts it back into the queue.
 *
 * The struct has parts that one folder each touches; the rest is shared.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "event/mailbox.h"
#include "event/timer.h"
#include "fetch/body_pipe.h"
#include "fetch/stats.h"
#include "fetch/upload_pipe.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"
#include "session/config_snapshot.h"
#include "util/list.h"

#include <stdatomic.h>

enum fetch_state {
    FETCH_NEW,       /* the caller fills the request */
    FETCH_POSTED,    /* in the inbox of an engine thread */
    FETCH_QUEUED,    /* waits for a slot */
    FETCH_RUNNING,   /* libcurl transfers it */
    FETCH_BACKOFF,   /* waits for the time of its retry, without a slot */
    FETCH_FOLLOWING, /* shares another fetch's transfer */
    FETCH_DONE,      /* the caller reads the response or the failure */
};

/* What a mail to an engine thread, or from it, is about. */
enum fetch_mail {
    FETCH_SUBMITTED,
    FETCH_CANCELLED,
    FETCH_RESUMED,
    FETCH_UPLOAD_BYTES,
    FETCH_LIST_WANTED,
    FETCH_FINISHED,
    FETCH_NOTICE,
    FETCH_UPLOAD_ROOM
};

struct curlew_fetch;
struct engine_worker;
struct origin_queue;
struct hop;

/* It has come back, and is its submitter's again.  Called on the engine thread that had it. */
typedef void fetch_done(struct curlew_fetch *f, void *arg);

/* The part of scheduler/. */
struct ticket {
    struct origin_queue *queue; /* where it waits or holds a slot; NULL: neither */
    struct link link;           /* in that queue, while it waits */
    bool probe;                 /* the circuit breaker waits for how this one ends */
};

/* The part of fetch/retry. */
struct retry_state {
    bool scheduled; /* another attempt is permitted, and follows this one … */
    int64_t at_us;  /* … at this time */
};

/* The part of engine/: single flight. */
struct flight {
    struct curlew_fetch *leader; /* whose transfer it shares, while FOLLOWING */
    struct link link;            /* among that leader's followers */
    double queued;               /* how long that had been in queues before this one joined */
    bool is_leader;              /* it transfers for its followers; the engine thread owns it */
    struct link followers;       /* of a leader */
    struct link leader_link;     /* of a leader: among those in flight */
};

struct curlew_fetch {
    struct request request;
    struct response response;
    struct failure failure; /* error NONE: the response is whole */
    enum fetch_state state; /* only fetch_set_state() moves it */
    fetch_done *done;
    void *arg;
    struct body_pipe *pipe;     /* the body is streamed through it; NULL: it is collected */
    struct upload_pipe *upload; /* the request's body comes by it; NULL: it doesn't */
    bool head_in_body;          /* of a stream in frames: limits.head_bytes does not apply */

    /* The submitter's, also in flight. */
    int index;        /* which of its batch; -1: of none */
    struct link kin;  /* among others of its batch */
    size_t kin_bytes; /* of the request, on the batch's account */

    /* For every thread. */
    atomic_int refs; /* the owner's, and one for each cancellation or resumption under way */
    atomic_bool cancelled;
    _Atomic(struct engine_worker *) worker; /* the thread that has it; NULL: none */
    struct mail mail;        /* in an inbox: the engine's, and after DONE the caller's */
    struct mail cancel_mail; /* to the engine thread */
    struct mail resume_mail; /* likewise */
    struct mail notice;      /* from it: the stream has something new */
    struct mail upload_mail; /* to it: the upload has bytes, or its end */
    struct mail upload_room; /* from it: the upload has room */

    /* From here on the engine thread's.  What the fetch was started under: */
    struct engine_stats *stats;
    struct config_snapshot *config;
    struct session *session;
    bool own_credentials; /* in the request object itself, not from its session */

    /* The hop to be sent; a redirect changes it. */
    struct url url;
    const char *method;
    bool sends_body;
    bool same_origin;     /* still the origin that was asked for: credentials may be sent */
    struct url first_url; /* of the first hop, once a redirect has left it */
    int redirects;
    char *proxy_host;      /* owned; NULL: straight to the origin */
    bool proxy_lent;       /* request.proxy was the next of its session's proxies */
    bool new_connection;   /* the attempt before was cut off: this one needs another connection */
    bool was_sent;         /* a request of it has been written */
    enum error sent_error; /* of an attempt at this hop that was written; NONE: of none */

    /* Time, on clock_us()'s clock. */
    int64_t submitted_us, posted_us, started_us;
    int64_t active_us;        /* the last byte came or went */
    int64_t body_us;          /* the body began to come */
    int64_t sent;             /* bytes of the hop's body that libcurl has sent, by active_us */
    int64_t looked_us;        /* deadline_check() was called, or the hop began … */
    int64_t unsent;           /* … and so many bytes still were in the kernel */
    struct timer timer;       /* total and idle timeout, or the end of the backoff */
    struct timer pause_timer; /* the end of a pause that keeps to max_recv_speed */
    bool connecting;          /* the connect timeout runs, not yet the idle timeout */
    bool paused;              /* for that, or as the reader is slow: no idle timeout */

    int64_t buffered; /* bytes of the body on the engine's account */
    int64_t held;     /* likewise, of a large request */
    struct link link; /* among the running ones of its thread, or those in backoff */
    struct ticket ticket;
    struct retry_state retry;
    struct flight flight;
    unsigned long listed; /* the number of the fetch_list that has seen it last */
    struct hop *hop;      /* the part of transfer/; NULL: it has no handle of libcurl */
};

/* NULL: no memory. */
struct curlew_fetch *fetch_new(void);

struct curlew_fetch *fetch_ref(struct curlew_fetch *f);

/* The last reference frees; NULL is allowed. */
void fetch_unref(struct curlew_fetch *f);

/* The one way to another state; asserts that it is allowed. */
void fetch_set_state(struct curlew_fetch *f, enum fetch_state state);

/*
 * Before it is submitted: its body goes through f->pipe, and `notify` is called with `arg`.
 * -1 with f->failure: no memory.
 */
int fetch_stream_body(struct curlew_fetch *f, body_pipe_notify *notify, void *arg);

/*
 * Before it is submitted: the request's body comes through f->upload, and `on_room` is called with
 * `arg`.  -1 with f->failure: no memory.
 */
int fetch_open_upload(struct curlew_fetch *f, const struct upload_size *size,
                      upload_pipe_on_room *on_room, void *arg);

/* Drop what came back; the request stays. */
void fetch_reset(struct curlew_fetch *f);

/*
 * Add n bytes of its body to those that the engine holds; -1 where they would be more than
 * limits.buffered_bytes: then nothing is added.
 */
int fetch_try_buffer(struct curlew_fetch *f, int64_t n);

/* Set err to what a fetch fails with where fetch_try_buffer() adds nothing.  -1. */
int fetch_overloaded(const struct curlew_fetch *f, struct failure *err);

/*
 * The same for the headers and cookies of a large request: each fetch has a copy of its session's;
 * and for the pipe of an upload.  Until fetch_reset().
 */
int fetch_try_hold_request(struct curlew_fetch *f);

/* So many bytes of its body are held now. */
void fetch_set_buffered(struct curlew_fetch *f, int64_t n);

/*
 * Its request will be sent again, with its body: that is kept.  false: the beginning of an upload
 * is gone.
 */
bool fetch_try_hold_body(struct curlew_fetch *f);

/* It won't be after all. */
void fetch_release_body(struct curlew_fetch *f);

/* May its hop share a connection, by HTTP/2 or HTTP/3, where the origin offers that? */
bool fetch_may_multiplex(const struct curlew_fetch *f);

/* The hop's URL becomes `next`, which f owns from here on. */
void fetch_set_next_url(struct curlew_fetch *f, const struct url *next);

/*
 * May what the session adds (headers, cookies, credentials, client certificate) go with this hop:
 * is its host one of the session's or, where the session names none, its origin the first hop's;
 * and is it not in the clear after https?
 */
bool fetch_may_lend(const struct curlew_fetch *f);

/* Did the proxy fail that its session lent? */
bool fetch_proxy_failed(const struct curlew_fetch *f);

#endif
