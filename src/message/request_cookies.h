/*
 * request_cookies.h - the cookies that a request brings along.
 */
#ifndef MESSAGE_REQUEST_COOKIES_H
#define MESSAGE_REQUEST_COOKIES_H

#include "message/request_context.h"

request_read request_cookies_read;

#endif
