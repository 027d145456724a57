/*
 * request_reader.h - bytes of a web server become the events of a request.
 *
 * Records are checked by the record parser, then read by libfcgi.  Nothing is decided here: what an
 * event means for the connection is protocol.c's business.
 */
#ifndef FASTCGI_REQUEST_READER_H
#define FASTCGI_REQUEST_READER_H

#include "fastcgi/fcgi_connection.h"

enum request_event {
    REQUEST_MORE,     /* all input is used; the request goes on */
    REQUEST_PARAMS,   /* the parameters are complete */
    REQUEST_COMPLETE, /* so is the body, or the line before an upload: …_check_body() */
    REQUEST_REFUSED,  /* all of it has come, and there was no memory for the parameters */
    REQUEST_ABORTED,  /* the web server takes the request back */
    REQUEST_CLOSE,    /* malformed, or the peer wants no further request: close */
};

struct request_input {
    const char *bytes;
    size_t len;
};

/* 1: some bytes, in the worker's scratch memory; 0: none now; -1: the peer has closed. */
int request_reader_recv(struct fcgi_connection *conn, struct request_input *input);

/* Uses input up to the next event. */
enum request_event request_reader_next(struct fcgi_connection *conn, struct request_input *input);

/* After REQUEST_PARAMS: a body that is announced too large is not kept, not even its start. */
void request_reader_expect_body(struct fcgi_connection *conn);

/* After REQUEST_COMPLETE: -1 with `err`, too large, or not as long as announced. */
int request_reader_check_body(const struct fcgi_connection *conn, struct failure *err);

/* While a response is being written: the socket has the start of another request. */
bool request_reader_has_next_request(const struct fcgi_connection *conn);

#endif
