/*
 * request_auth.h - who we are to the origin and to the proxy.
 */
#ifndef MESSAGE_REQUEST_AUTH_H
#define MESSAGE_REQUEST_AUTH_H

#include "message/request_context.h"

request_read request_auth_read, request_auth_read_proxy, request_auth_read_proxy_auth;

#endif
