/*
 * response_reader.h - reads a response's head and body as libcurl delivers them, within limits.
 */
#ifndef TRANSFER_RESPONSE_READER_H
#define TRANSFER_RESPONSE_READER_H

#include "fetch/fetch.h"
#include "transfer/response_events.h"

#define RESPONSE_READER_HEAD_MAX (256 * 1024) /* bytes of one response's head */

/* Set the callbacks on f's handle, and begin anew. */
void response_reader_attach(struct curlew_fetch *f, const struct response_events *events);

/* libcurl has taken the response for whole.  -1 with f->failure: its head or a coding is cut. */
int response_reader_finish(struct curlew_fetch *f);

/*
 * After a pause: decodes what was kept of the body.  false: it pauses again, and libcurl must not
 * be resumed; true: libcurl goes on, and learns of a failure when it writes next.
 */
bool response_reader_resume(struct curlew_fetch *f) __attribute__((warn_unused_result));

/* Of the hop that is over. */
void response_reader_drop_decoder(struct curlew_fetch *f);

/* Free the body; its length stays known. */
void response_reader_drop_body(struct curlew_fetch *f);

/* Free the head and the body: another attempt follows. */
void response_reader_reset(struct curlew_fetch *f);

#endif
