/*
 * response_writer.h - writing an answer to a web server, as fast as it reads and no faster.
 */
#ifndef FASTCGI_RESPONSE_WRITER_H
#define FASTCGI_RESPONSE_WRITER_H

#include "fastcgi/fcgi_connection.h"

/* Its call is answered. */
void response_writer_start(struct fcgi_connection *conn);

/* Its peer takes more. */
void response_writer_on_writable(struct fcgi_connection *conn);

/* An answer that cannot go on: seen as broken, where it can be. */
void response_writer_abort(struct fcgi_connection *conn);

/* Send what is framed.  1: all of it; 0: the peer takes no more for now; -1: it is gone. */
int response_writer_flush(struct fcgi_connection *conn);

#endif
