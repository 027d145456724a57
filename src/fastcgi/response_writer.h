/*
 * response_writer.h - a response becomes records, sent as fast as the web server reads them.
 *
 * Nothing waits here: the result says what the connection has to wait for.
 */
#ifndef FASTCGI_RESPONSE_WRITER_H
#define FASTCGI_RESPONSE_WRITER_H

#include "fastcgi/fcgi_connection.h"

enum write_result {
    WRITE_DONE,       /* all of the response is sent */
    WRITE_BLOCKED,    /* there is more: go on when the socket is writable */
    WRITE_IDLE,       /* go on when the fetches have more */
    WRITE_WILL_ABORT, /* the response has failed midway: go on at abort_at_us */
    WRITE_FAILED,     /* the peer is gone, or no memory is left */
};

/* In state WRITING. */
enum write_result response_writer_write(struct fcgi_connection *conn);

/* A response that cannot go on: the web server sees that it is broken, where it can. */
void response_writer_abort(struct fcgi_connection *conn);

/* Between requests: asks the peer to use the connection no more.  An event says if it is gone. */
void response_writer_hint(struct fcgi_connection *conn);

/* Send what is framed.  1: all of it; 0: the peer takes no more for now; -1: it is gone. */
int response_writer_flush(struct fcgi_connection *conn);

#endif
