/*
 * hop.h - one hop of a fetch on a libcurl easy handle: what only transfer/ knows of the fetch.
 *
 * A fetch has one from its first handle_cache_acquire() to handle_cache_release(); libcurl and
 * the callbacks keep its parts through redirects and retries.
 */
#ifndef TRANSFER_HOP_H
#define TRANSFER_HOP_H

#include "fetch/resend.h"
#include "http/content_encoding.h"
#include "http/cookies.h"
#include "transfer/easy_options.h"
#include "transfer/header_lines.h"
#include "transfer/response_events.h"
#include "util/list.h"

#include <curl/curl.h>

#define HOP_ADDRESSES_MAX 64 /* of a name: how many are tried */

struct connection_pool;
struct content_decoder;
struct curlew_fetch;
struct dns_limit;
struct tls_tickets_store;

/* In the place of curl_easy_setopt(). */
#define hop_set(hop, option, value) easy_options_set(&(hop)->options, option, (intptr_t)(value))

struct hop {
    CURL *easy; /* libcurl's callbacks get the hop, which lasts as long */
    struct easy_options options;
    struct curlew_fetch *fetch; /* NULL: it serves none */
    struct connection_pool *pool;
    struct dns_limit *dns_limit;
    struct tls_tickets_store *tickets; /* NULL: the multi handle's */
    const struct response_events *events;

    /* Of this hop. */
    struct header_lines header_lines;
    curl_mime *mime;
    struct curl_slist *resolve, *connect_to; /* of connection_options_set() */
    struct link sockets;                     /* of the pool, opened in this hop */
    uint64_t conn_id;  /* the connection, which others may share; 0: not known yet */
    int64_t opened_us; /* its first socket; 0: none yet */
    bool begun;        /* libcurl has taken it up: what it tells of times and bytes is this hop's */
    int requests;      /* how often libcurl was about to send it */
    bool requested;    /* a connection stands, and the request goes out on it */
    bool no_tickets;   /* its ClientHello could not resume a session */
    bool shares;       /* it waits for a connection that another hop is opening */
    bool restart;      /* the connection was no good; nothing was written on it */
    int restarts;
    int addresses;                    /* for which libcurl wanted a socket */
    uint64_t memory_failures;         /* curl_memory_failures() when it began */
    struct link lookup;               /* among those under way; alone: none, or it has ended */
    uint64_t lookup_domain;           /* its key */
    bool digest;                      /* its request has digest authentication */
    bool challenged;                  /* the response that this begins with has been seen */
    enum head_verdict verdict;        /* on the last head */
    bool expects_head;                /* a request went out, and its final head has not come */
    bool continued;                   /* a 100 (Continue) has come for the request */
    bool in_head;                     /* between a status line and the empty line */
    bool has_head;                    /* a final head is complete: lines that follow are trailers */
    size_t head_bytes;                /* of all heads and trailers */
    int connect_bytes;                /* of a proxy's answer to CONNECT, about */
    int64_t read_us;                  /* when the pool had … */
    int64_t read_bytes;               /* … so many useful bytes; since then, and … */
    int empty_reads;                  /* … in this turn of the loop, libcurl has run so often */
    size_t cookie_bytes;              /* of its request's Cookie field */
    int folds;                        /* continuation lines in the hop's heads */
    struct content_encoding encoding; /* of the body, to be undone */
    struct content_decoder *decoder;  /* NULL: none, or not yet */
    size_t decoder_held;              /* its bytes on the account of the bodies */
    char curl_error[CURL_ERROR_SIZE];

    /* Of the hop's request: sent_once.c. */
    struct unanswered unanswered;
    enum resend_reason resend; /* the next writing's; FORBIDDEN: not decided, or forbidden */
    bool opened;               /* a socket since the last writing */
    bool kept;                 /* the last writing went to a connection of an earlier hop */
    uint64_t newest_id;        /* of the connections that there were at the last writing */
    long request_size;         /* libcurl's count of bytes before the last writing */

    /* Of the chain of redirects. */
    struct cookies cookies; /* the jar's, the request's own, and what responses have set */
    bool has_own_cookies;   /* the request's own are among them */
    size_t set_bytes;       /* of the Set-Cookie fields that were taken over */
};

#endif
