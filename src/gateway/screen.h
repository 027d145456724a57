/*
 * screen.h - what libfcgi may see of what a peer sends.
 *
 * Every record header and every parameter length is checked here before
 * libfcgi reads it, and only the records of one responder request pass, in
 * order.  What needs an answer on this level (management records, a second
 * request on a busy connection, another role) is answered here.
 * Sources: the FastCGI specification 1.0, sections 3.2 to 5.5.
 */
#ifndef GATEWAY_SCREEN_H
#define GATEWAY_SCREEN_H

#include "gateway/params.h"
#include "util/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum screen_verdict {
    SCREEN_MORE,     /* all bytes are used; the request goes on */
    SCREEN_HEAD,     /* the parameters are whole */
    SCREEN_COMPLETE, /* STDIN has ended: the request is whole */
    /* STDIN is over its limit; what is left of it is dropped, up to SCREEN_COMPLETE */
    SCREEN_TOO_LARGE,
    SCREEN_ABORTED, /* the web server takes the request back */
    SCREEN_CLOSE,   /* answered, and the peer wanted no further request on this connection */
    SCREEN_BROKEN,  /* no FastCGI, or more than the limits: close */
};

enum screen_phase { PHASE_IDLE, PHASE_PARAMS, PHASE_STDIN, PHASE_ANSWERING };

struct screen {
    enum screen_phase phase;
    uint16_t id;   /* of the request, outside PHASE_IDLE */
    bool keep;     /* FCGI_KEEP_CONN */
    bool dropping; /* STDIN, up to its end */
    size_t stdin_bytes, stdin_max;
    struct params params;

    unsigned char header[8];
    int header_len;
    uint32_t content, padding; /* what is left of the record */
    bool pass;                 /* the record is for libfcgi */
    unsigned char body[256];   /* the start of a BEGIN_REQUEST or GET_VALUES record */
    uint32_t body_len;
};

void screen_init(struct screen *s);
void screen_next(struct screen *s); /* the request has been answered: ready for another */
/* n bytes that may come next begin another request, while this one is being answered. */
bool screen_sees_next(const struct screen *s, const unsigned char *bytes, size_t n);

/* Drop what is left of STDIN: whoever sends it may not listen before it has said all. */
void screen_drop(struct screen *s);

bool screen_idle(const struct screen *s); /* between requests, and not inside a record */

/*
 * Take up to n bytes; *used says how many, fewer than n only with a verdict other than SCREEN_MORE.
 * Records for libfcgi are appended to `passed`, answers to `answers`.
 */
enum screen_verdict screen_feed(struct screen *s, const char *bytes, size_t n, size_t *used,
                                struct buffer *passed, struct buffer *answers);

#endif
