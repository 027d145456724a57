/*
 * media_type.h - what Content-Type and Accept say (RFC 9110 sections 8.3.1 and 12.5.1).
 */
#ifndef HTTP_MEDIA_TYPE_H
#define HTTP_MEDIA_TYPE_H

#include <stdbool.h>

/* Is a Content-Type this type, with any parameters? `type` is written without. */
bool media_type_is(const char *content_type, const char *type);

/* Does an Accept field name this type, with a weight (q) above 0?  Wildcards do not name it. */
bool media_type_is_accepted(const char *accept, const char *type);

#endif
