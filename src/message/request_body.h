/*
 * request_body.h - the forms of a request's body, of which at most one is given.
 */
#ifndef MESSAGE_REQUEST_BODY_H
#define MESSAGE_REQUEST_BODY_H

#include "message/request_context.h"

request_read request_body_read_text, request_body_read_base64, request_body_read_json,
    request_body_read_form, request_body_read_multipart, request_body_read_follows;

#endif
