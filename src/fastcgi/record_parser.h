/*
 * record_parser.h - checks FastCGI records before libfcgi reads them.
 *
 * Every record header and every parameter length is checked here before
 * libfcgi reads it: libfcgi can be made to abort the process.  Only the records
 * of one request are passed on, in order.  Management records, a second request
 * on a busy connection and other roles are answered here.
 * Sources: the FastCGI specification 1.0, sections 3.2 to 5.5.
 */
#ifndef FASTCGI_RECORD_PARSER_H
#define FASTCGI_RECORD_PARSER_H

#include "fastcgi/params.h"
#include "util/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum record_event {
    RECORD_MORE,         /* all bytes are used; the request goes on */
    RECORD_PARAMS_DONE,  /* the parameters are complete */
    RECORD_REQUEST_DONE, /* STDIN has ended: the request is complete */
    /* STDIN is over its limit; what is left of it is dropped, up to RECORD_REQUEST_DONE */
    RECORD_TOO_LARGE,
    RECORD_ABORTED, /* the web server takes the request back */
    RECORD_CLOSE,   /* answered, and the peer wanted no further request on this connection */
    RECORD_BROKEN,  /* malformed, or over a limit: close */
};

enum record_phase { PHASE_IDLE, PHASE_PARAMS, PHASE_STDIN, PHASE_ANSWERING };

struct record_parser {
    enum record_phase phase;
    uint16_t id;   /* of the request, outside PHASE_IDLE */
    bool keep;     /* FCGI_KEEP_CONN */
    bool dropping; /* STDIN, up to its end */
    bool bytes;    /* of STDIN the content alone is passed on */
    bool skipping; /* the STDIN of request `id`, which was answered before it has come whole */
    size_t stdin_bytes, stdin_max;
    struct params params;

    unsigned char header[8];
    int header_len;
    uint32_t content, padding; /* what is left of the record */
    bool pass;                 /* the record is for libfcgi */
    unsigned char body[256];   /* the start of a BEGIN_REQUEST or GET_VALUES record */
    uint32_t body_len;
};

void record_parser_init(struct record_parser *parser);

/* The request has its response: ready for the next one. */
void record_parser_next(struct record_parser *parser);

/* While a request is being answered: do these bytes, not fed yet, begin another one? */
bool record_parser_is_next_request(const struct record_parser *parser, const unsigned char *bytes,
                                   size_t n);

/* Drop what is left of STDIN; its end is still waited for, as some peers read nothing before. */
void record_parser_drop(struct record_parser *parser);

/* STDIN is not for libfcgi: its bytes alone are passed on, of any number. */
void record_parser_pass_bytes(struct record_parser *parser);

/* The request was aborted: no more of STDIN comes. */
void record_parser_end_stdin(struct record_parser *parser);

/* Does the peer still owe the rest of a request that was answered? */
bool record_parser_is_skipping(const struct record_parser *parser);

/* A whole response of n bytes, less than 64 KiB, without libfcgi. */
void record_parser_answer(const struct record_parser *parser, const char *text, size_t n,
                          struct buffer *answers);

/*
 * An empty STDERR record of the last request.  Between requests it is unexpected, and has the peer
 * give the connection up; as the first record of the next response it says nothing.
 */
void record_parser_hint(const struct record_parser *parser, struct buffer *answers);

/* Between requests, and not inside a record. */
bool record_parser_is_idle(const struct record_parser *parser);

/*
 * Take up to n bytes; *used says how many, fewer than n only with an event other than RECORD_MORE.
 * Records for libfcgi are appended to `passed`, answers to `answers`.
 */
enum record_event record_parser_feed(struct record_parser *parser, const char *bytes, size_t n,
                                     size_t *used, struct buffer *passed, struct buffer *answers);

#endif
