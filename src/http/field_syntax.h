/*
 * field_syntax.h - what a header field's name and value may hold (RFC 9110 sections 5.1 and 5.5).
 */
#ifndef HTTP_FIELD_SYNTAX_H
#define HTTP_FIELD_SYNTAX_H

#include "util/buffer.h"

#include <stdbool.h>

/* A token (RFC 9110 section 5.6.2): a field's name, a method. */
bool field_syntax_is_token(const char *text);

/*
 * Append the text of a field's value, or of a reason phrase, with a blank for each control
 * character but TAB: whoever reads the result must not see another line in it.
 */
void field_syntax_add_value(struct buffer *to, const char *text);

#endif
