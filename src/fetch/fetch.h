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

#include "curlew/curlew.h"
#include "event/mailbox.h"
#include "event/timer.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"
#include "session/config_snapshot.h"
#include "util/list.h"

#include <curl/curl.h>
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

struct origin_queue;
struct engine_worker;
struct body_pipe;

struct curlew_fetch {
    struct request request;
    struct response response;
    struct failure failure; /* error NONE: the response is whole */
    enum fetch_state state;
    curlew_done *done;
    void *arg;
    int index;       /* the submitter's, even in flight: which of its batch; -1: of none */
    struct link kin; /* likewise: among others of its batch */

    struct body_pipe *pipe; /* its body goes on as it comes; NULL: it is collected */

    atomic_int refs; /* the owner's, and one for each cancellation or resumption under way */
    atomic_bool cancelled;
    _Atomic(struct engine_worker *) home; /* the thread that has it, for a cancellation to find */
    struct mail mail; /* in an inbox: the engine's, and after DONE the caller's */
    struct mail cancel_mail, resume_mail; /* to the session thread */
    struct mail notice;                   /* from it: the stream has something new */

    /* From here on the session thread's. */
    struct curlew *engine;
    struct config_snapshot *config;
    struct session *session;
    struct url url;   /* of this hop */
    bool proxy_lent;  /* request.proxy was the next of its session's proxies */
    char *proxy_host; /* owned; NULL: straight to the origin */
    struct origin_queue *queue;
    /* In its queue's queue, among the running, the resting or a leader's followers. */
    struct link place;
    struct timer timer; /* total and idle time-out, or the end of its rest */
    struct timer pace;  /* paused until then, to keep to max_recv_speed */
    bool paused;        /* for that, or as its reader is slow: no time to be idle */
    int64_t body_us;    /* when the body began to come */
    int64_t submitted_us, posted_us, started_us, active_us;
    bool again;       /* this try is not the last word, another one is granted: it starts … */
    int64_t again_us; /* … not before then */
    bool fresh;       /* the try before was cut off: this one goes out on a new connection */
    bool probe;       /* the breaker wants to see how this one ends */

    struct curlew_fetch *leader;   /* whose transfer it shares, while FOLLOWING */
    bool is_leader;                /* it transfers for its followers; owned by the engine thread */
    struct link followers, shared; /* of a leader: its followers, and its link among the leaders */
    bool own_credentials;          /* in the request object itself, not from its session */

    CURL *easy;
    int64_t sent;        /* bytes of the hop's body that the idle time-out has seen go out */
    bool requested;      /* a connection stands, and the request goes out on it */
    struct link sockets; /* of the pool, opened in this hop */
    uint64_t conn_id;    /* the hop's connection, which others may share; 0: not known yet */
    struct curl_slist *header_lines;
    curl_mime *mime;
    struct exported_cookie *exported_cookies;
    struct headers cookie_names; /* in the chain's Set-Cookie fields, with their values */
    char curl_error[CURL_ERROR_SIZE];
    const char *method; /* of this hop: a redirect may turn it into GET */
    bool sends_body;    /* likewise */
    bool challenged;    /* the 401 that digest authentication begins with has been seen */
    bool same_origin;   /* still the origin that was asked: credentials may be sent */
    size_t head_bytes;
    int folds;        /* continuation lines in the hop's heads */
    int64_t buffered; /* bytes of the body on the engine's account */
    int redirects;
    bool names_host; /* its headers name a Host, which libcurl then takes for the cookies' host */
};

/* NULL: no memory. */
struct curlew_fetch *fetch_new(void);

struct curlew_fetch *fetch_ref(struct curlew_fetch *f);

/* The last one frees. */
void fetch_unref(struct curlew_fetch *f);

/* Forget what came back of it; the request stays. */
void fetch_reset(struct curlew_fetch *f);

/* The one lent by its session has failed. */
bool fetch_proxy_failed(const struct curlew_fetch *f);

#endif
