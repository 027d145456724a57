/*
 * response_reader.h - gathering a response's head and body as libcurl delivers them, within limits.
 */
#ifndef TRANSFER_RESPONSE_READER_H
#define TRANSFER_RESPONSE_READER_H

#include "fetch/fetch.h"

void
response_reader_attach(struct curlew_fetch *f); /* set the callbacks on f->easy, and begin anew */
void
response_reader_drop_body(struct curlew_fetch *f); /* what was kept; how much it was stays known */
void
response_reader_reset(struct curlew_fetch *f); /* what has come of a try that is not the last */

#endif
