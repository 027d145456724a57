/*
 * fetch.h - one fetch: what was asked, where it stands, what came back.
 *
 * A fetch moves down its states and never up, but for a redirect, which sends
 * it back to WAITING for a turn at the next origin, and a retry, for which it
 * RESTS and then waits for a turn like everybody else.  The state says who owns
 * it: the caller (NEW and DONE), or one session thread (all between).
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "event/mailbox.h"
#include "event/timer.h"
#include "fetch/body_pipe.h"
#include "fetch/stats.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"
#include "session/session.h"
#include "util/list.h"

#include <stdatomic.h>

enum fetch_state {
    FETCH_NEW,       /* the caller fills the request */
    FETCH_POSTED,    /* in a session thread's inbox */
    FETCH_WAITING,   /* in its queue, for a turn */
    FETCH_RUNNING,   /* libcurl is on it */
    FETCH_RESTING,   /* between two tries, without a place */
    FETCH_FOLLOWING, /* a follower of another fetch's transfer */
    FETCH_DONE,      /* the caller reads the response or the failure */
};

/* What a mail to a session thread, or from it, is about. */
enum fetch_mail { FETCH_SUBMITTED, FETCH_CANCELLED, FETCH_RESUMED, FETCH_FINISHED, FETCH_NOTICE };

struct curlew_fetch;

/* It has come back, and is its submitter's again.  Called on the engine thread that had it. */
typedef void fetch_done(struct curlew_fetch *f, void *arg);

struct origin_queue;
struct engine_worker;
struct hop;

/* The scheduler's part. */
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

/* Single flight: the part of engine/coalesce. */
struct flight {
    struct curlew_fetch *leader;   /* whose transfer it shares, while FOLLOWING */
    struct link link;              /* among that leader's followers */
    bool is_leader;                /* it transfers for its followers; owned by the engine thread */
    struct link followers, shared; /* of a leader: its followers, and its link among the leaders */
};

struct curlew_fetch {
    struct request request;
    struct response response;
    struct failure failure; /* error NONE: the response is whole */
    enum fetch_state state; /* only fetch_set_state() moves it */
    fetch_done *done;
    void *arg;
    int index;       /* the submitter's, even in flight: which of its batch; -1: of none */
    struct link kin; /* likewise: among others of its batch */

    struct body_pipe *pipe; /* its body goes on as it comes; NULL: it is collected */

    atomic_int refs; /* the owner's, and one for each cancellation or resumption under way */
    atomic_bool cancelled;
    _Atomic(struct engine_worker *) worker; /* the thread that has it; NULL: none */
    struct mail mail; /* in an inbox: the engine's, and after DONE the caller's */
    struct mail cancel_mail, resume_mail; /* to the session thread */
    struct mail notice;                   /* from it: the stream has something new */

    /* From here on the session thread's. */
    struct engine_stats *stats; /* of its engine */
    struct config_snapshot *config;
    struct session *session;
    struct url url;   /* of this hop */
    bool proxy_lent;  /* request.proxy was the next of its session's proxies */
    char *proxy_host; /* owned; NULL: straight to the origin */
    struct link link; /* among the running or the resting of its thread */
    struct ticket ticket;
    struct flight flight;
    struct timer timer; /* total and idle time-out, or the end of its rest */
    struct timer pause_timer; /* paused until then, to keep to max_recv_speed */
    bool paused;        /* for that, or as its reader is slow: no time to be idle */
    int64_t body_us;    /* when the body began to come */
    int64_t submitted_us, posted_us, started_us, active_us;
    struct retry_state retry;
    bool new_connection;  /* the attempt before was cut off: this one needs another connection */
    bool own_credentials; /* in the request object itself, not from its session */
    struct hop *hop; /* transfer's, while it has a handle of libcurl; NULL: none */
    int64_t sent;    /* bytes of the hop's body that the idle timeout has seen go out */
    const char *method; /* of this hop: a redirect may turn it into GET */
    bool sends_body;    /* likewise */
    bool same_origin;   /* still the origin that was asked: credentials may be sent */
    int64_t buffered;   /* bytes of the body on the engine's account */
    int redirects;
};

/* NULL: no memory. */
struct curlew_fetch *fetch_new(void);

struct curlew_fetch *fetch_ref(struct curlew_fetch *f);

/* The one way to another state; asserts that it is allowed. */
void fetch_set_state(struct curlew_fetch *f, enum fetch_state state);

/* The last one frees. */
void fetch_unref(struct curlew_fetch *f);

/*
 * Before it is submitted: its body goes through f->pipe, and `notify` is called with `arg`.
 * -1 with f->failure: no memory.
 */
int fetch_stream_body(struct curlew_fetch *f, body_pipe_notify *notify, void *arg);

/* Forget what came back of it; the request stays. */
void fetch_reset(struct curlew_fetch *f);

/* GET, or POST where there is a body, where nobody said otherwise. */
const char *fetch_method(const struct request *r);

/*
 * Add n bytes of its body to those that the engine holds; -1 where they would be more than
 * limits.buffered_bytes: then nothing is added.
 */
int fetch_try_buffer(struct curlew_fetch *f, int64_t n);

/* So many bytes of its body are held now. */
void fetch_set_buffered(struct curlew_fetch *f, int64_t n);

/* The one lent by its session has failed. */
bool fetch_proxy_failed(const struct curlew_fetch *f);

#endif
