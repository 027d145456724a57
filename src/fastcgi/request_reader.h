/*
 * request_reader.h - what comes from a web server: screened, read by libfcgi, sent to its route.
 */
#ifndef FASTCGI_REQUEST_READER_H
#define FASTCGI_REQUEST_READER_H

#include "fastcgi/fcgi_connection.h"

/* Its socket is readable, or closed. */
void request_reader_on_readable(struct fcgi_connection *conn);

#endif
