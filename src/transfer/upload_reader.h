/*
 * upload_reader.h - gives libcurl the body of an upload, as it comes from the caller.
 *
 * Where there is none now, the transfer pauses.  A body that will not become whole is never ended
 * properly: the transfer is aborted.
 */
#ifndef TRANSFER_UPLOAD_READER_H
#define TRANSFER_UPLOAD_READER_H

#include "fetch/fetch.h"

#include <curl/curl.h>

/* Is the hop's body an upload? */
bool upload_reader_is_wanted(const struct curlew_fetch *f);

/* The hop's body is f->upload. */
void upload_reader_attach(struct curlew_fetch *f);

/* The hop begins, maybe anew: so does its body.  -1 with f->failure: it can't. */
int upload_reader_start(struct curlew_fetch *f);

/*
 * After a pause of the response or of the upload: lets go on what no longer has to wait.  -1: it
 * can't.
 */
int upload_reader_unpause(struct curlew_fetch *f);

/*
 * Its caller has sent bytes, or their end, or what makes it fail: then -1 with f->failure, as where
 * the transfer can't go on.  A failure from before is none of these: of a host's addresses one may
 * be refused, and the next one connected to.
 */
int upload_reader_wake(struct curlew_fetch *f);

/*
 * libcurl's result, or OK where all that went wrong is that the body can't be sent again, as an
 * authentication demands: then the response that demands it stands, and says so.  It does not where
 * the request has gone out once more since.
 */
CURLcode upload_reader_result(struct curlew_fetch *f, CURLcode result);

/* How many bytes of the hop's body have gone out, of which libcurl says `sent`. */
int64_t upload_reader_bytes_sent(const struct curlew_fetch *f, int64_t sent);

#endif
