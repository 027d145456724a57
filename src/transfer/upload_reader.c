/* upload_reader.c - gives libcurl the body of an upload, as it comes from the caller. */

#include "transfer/upload_reader.h"

#include "transfer/hop.h"

#define SET(option, value) hop_set(f->hop, option, value)

bool
upload_reader_is_wanted(const struct curlew_fetch *f)
{
    return f->upload != NULL && f->sends_body;
}

/* In 0 bytes libcurl would see the end of the body. */
static size_t
on_read(char *to, size_t size, size_t count, void *arg)
{
    struct curlew_fetch *f = arg;
    size_t got;

    switch (upload_pipe_read(f->upload, to, size * count, &got)) {
    case UPLOAD_BYTES:
        return got;
    case UPLOAD_EMPTY:
        return CURL_READFUNC_PAUSE;
    case UPLOAD_END:
        return 0;
    case UPLOAD_FAILED:
        upload_pipe_check(f->upload, &f->failure);
        return CURL_READFUNC_ABORT;
    }
    return CURL_READFUNC_ABORT;
}

/* libcurl sends the body again: after an authentication, or what sent_once.h allows. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
    struct curlew_fetch *f = arg;

    if (offset != 0 || origin != SEEK_SET || upload_pipe_rewind(f->upload) != 0)
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

/* Without a length libcurl sends chunks, or by HTTP/2 frames of DATA. */
void
upload_reader_attach(struct curlew_fetch *f)
{
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)upload_pipe_length(f->upload));
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, f);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, f);
}

int
upload_reader_start(struct curlew_fetch *f)
{
    if (!upload_reader_is_wanted(f) || upload_pipe_rewind(f->upload) == 0)
        return 0;
    return failure_set(&f->failure, ERROR_SEND_FAILED,
                       "the request's body is over %d KiB, and cannot be sent again",
                       UPLOAD_PIPE_BYTES / 1024);
}

/* Between two connections libcurl refuses: nothing is paused there. */
int
upload_reader_unpause(struct curlew_fetch *f)
{
    bool starved = upload_reader_is_wanted(f) && upload_pipe_is_starved(f->upload);
    int still = (f->paused ? CURLPAUSE_RECV : 0) | (starved ? CURLPAUSE_SEND : 0);
    CURLcode rc = curl_easy_pause(f->hop->easy, still);

    return rc == CURLE_OK || rc == CURLE_BAD_FUNCTION_ARGUMENT ? 0 : -1;
}

int
upload_reader_wake(struct curlew_fetch *f)
{
    bool paused = upload_pipe_try_wake(f->upload) && f->state == FETCH_RUNNING;

    if (upload_pipe_check(f->upload, &f->failure) != 0)
        return -1;
    if (!paused || upload_reader_unpause(f) == 0)
        return 0;
    return failure_set(&f->failure, ERROR_INTERNAL, "the upload could not be resumed");
}

CURLcode
upload_reader_result(struct curlew_fetch *f, CURLcode result)
{
    const struct hop *hop = f->hop;

    if (result != CURLE_SEND_FAIL_REWIND || !upload_reader_is_wanted(f) || !hop->has_head ||
        hop->expects_head || f->failure.error != ERROR_NONE)
        return result;
    if (f->pipe == NULL || !body_pipe_has_head(f->pipe)) /* else the head is its reader's */
        f->response.body_not_replayed = true;
    return CURLE_OK;
}

/* libcurl counts what frames the chunks, too. */
int64_t
upload_reader_bytes_sent(const struct curlew_fetch *f, int64_t sent)
{
    int64_t given;

    if (!upload_reader_is_wanted(f))
        return sent;
    given = upload_pipe_bytes_read(f->upload);
    return sent < given ? sent : given;
}
