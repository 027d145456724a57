/*
 * reading.h - what comes from a web server: screened, read by libfcgi, sent to its route.
 */
#ifndef GATEWAY_READING_H
#define GATEWAY_READING_H

#include "gateway/connection.h"

void reading_some(struct connection *c); /* its socket is readable, or closed */

#endif
