/*
 * response.h - what came back: one response as plain data.
 *
 * Filled on an engine thread; read by the owner of the fetch once it is done.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/cookies.h"
#include "http/headers.h"
#include "http/response_framing.h"
#include "util/buffer.h"

/* One response head: of a redirect in the history, or the last one. */
struct response_head {
    int status;
    const char *reason;     /* "" under HTTP/2 and HTTP/3 */
    const char *url;        /* the URL that answered so */
    struct headers headers; /* as received: order, case and repetitions kept; and both texts */
};

struct timing {                           /* seconds */
    double queue;                         /* waiting inside the daemon, all turns together */
    double dns, connect, tls, first_byte; /* of the last hop, each since the hop's start */
    double total;                         /* from submission to the last byte */
};

struct response {
    struct response_head head;
    struct response_head *history; /* oldest first */
    size_t history_count;
    struct response_framing framing; /* of the last head */
    struct headers trailers;         /* never among the head's: no framing, no cookies */
    char *content_encoding;          /* what stays on the body; NULL: nothing */
    bool decoded;                    /* codings were undone: the head's length is not the body's */
    struct cookies cookies;          /* what the chain of redirects left */
    struct buffer body;              /* decoded; empty where the request said `none` */
    int64_t body_bytes;              /* decoded bytes received, kept or not */
    int http_version;                /* 10, 11, 20, 30; 0: unknown */
    struct timing timing;
    bool reused;
    char remote_ip[64], local_ip[64];
    int remote_port, local_port;
    int64_t bytes_sent; /* of request bodies */
    int attempts;
    bool coalesced;
    const char *impersonated; /* the target that was worn, which lives on; NULL: none */
    bool body_not_replayed;   /* what the head asks for needs the body again, which is gone */
    bool redirect_failed; /* the head is a redirect that was not followed: the fetch has failed */
};

void response_init(struct response *r);
void response_destroy(struct response *r);

/* What was asked, and the first line of the answer.  -1: no memory. */
int response_head_begin(struct response_head *h, const char *url, int status, const char *reason,
                        size_t reason_size);

/* Leaves it empty and usable. */
void response_head_destroy(struct response_head *h);

/* What belongs to one body, of which another follows: trailers, codings, framing. */
void response_clear_message(struct response *r);

/* `to` is empty; -1: no memory. */
int response_copy(struct response *to, const struct response *from);

/* "1.0", "1.1", "2", "3"; NULL: unknown. */
const char *response_version_name(int http_version);

/* The head becomes the history's newest; a new, empty head takes its place.  -1: no memory. */
int response_push_history(struct response *r);

/* The history's newest becomes the head again; there is one. */
void response_pop_history(struct response *r);

#endif
