/*
 * sent_once.c - counts how often libcurl writes a hop's request, and stops what must not go twice.
 */

#include "transfer/sent_once.h"

#include "transfer/hop.h"

#include <string.h>

#define TLS_RECORD_BYTES 16384 /* of content (RFC 8446 section 5.1) */
#define OWN_BYTES        4096  /* of header lines that libcurl adds, about: a browser's are most */

/*
 * libcurl's words for REFUSED_STREAM, and for a GOAWAY below the stream, at the end of an
 * informational text.  Nothing else tells them from a connection that ended.  Should the words
 * change, what may not be sent twice isn't sent again, and test_sent_once.py fails.
 */
static const char refused_text[] = "try again on a new connection";

static int
on_debug(CURL *easy, curl_infotype type, char *text, size_t n, void *arg)
{
    struct hop *hop = arg;
    size_t end = sizeof refused_text - 1;

    (void)easy;
    if (type != CURLINFO_TEXT)
        return 0;
    n -= n > 0 && text[n - 1] == '\n';
    if (n >= end && memcmp(text + n - end, refused_text, end) == 0)
        hop->unanswered.refused = true;
    return 0;
}

void
sent_once_attach(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    hop->unanswered = (struct unanswered){ .method = f->method };
    hop->resend = RESEND_FORBIDDEN;
    hop->opened = hop->kept = false;
    hop_set(hop, CURLOPT_DEBUGFUNCTION, on_debug);
    hop_set(hop, CURLOPT_DEBUGDATA, hop);
}

static long
request_size(const struct hop *hop)
{
    long size = 0;

    curl_easy_getinfo(hop->easy, CURLINFO_REQUEST_SIZE, &size);
    return size;
}

static size_t
body_size(const struct request *r)
{
    size_t n = r->body_size;

    for (size_t i = 0; i < r->part_count; i++)
        n += r->parts[i].size;
    return n;
}

/*
 * Of what fills more than one record of TLS, a TLS library may have written some, and yet tell
 * libcurl that nothing is written: the socket took no more, or failed.  The origin can read these.
 * A record that was cut short it can't.
 */
static bool
may_fill_records(const struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    size_t n = strlen(f->url.text) + f->hop->cookie_bytes + request_bytes(r) + OWN_BYTES;

    if (f->upload != NULL) /* of any length */
        n += TLS_RECORD_BYTES;
    if (f->sends_body)
        n += body_size(r);
    return n > TLS_RECORD_BYTES && (r->proxy != NULL || strcmp(f->url.scheme, "https") == 0);
}

/* The connection of the last writing has ended: may the request be written again? */
static bool
decide(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    hop->unanswered.wrote_bytes = request_size(hop) != hop->request_size || may_fill_records(f);
    hop->resend = resend_decide(&hop->unanswered);
    return hop->resend != RESEND_FORBIDDEN;
}

int
sent_once_check(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;
    struct unanswered *u = &hop->unanswered;

    if (u->writings == 0 || hop->resend != RESEND_FORBIDDEN || decide(f))
        return 0;
    f->failure = (struct failure){ 0 };
    if (u->refused)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the origin refused the request twice, unprocessed");
    return failure_set(&f->failure, ERROR_RECV_FAILED,
                       "the connection ended before a whole line of the response came");
}

int
sent_once_on_open(struct curlew_fetch *f)
{
    if (sent_once_check(f) != 0)
        return -1;
    f->hop->opened = true;
    return 0;
}

/*
 * libcurl itself repeats what it can't read an answer to, but not with HTTP/3; nor, since 8.23,
 * what it can't write.
 */
static bool
is_given_up(const struct curlew_fetch *f, CURLcode result)
{
    enum http_version v = f->request.http_version;

    return result == CURLE_SEND_ERROR ||
           (result == CURLE_RECV_ERROR && (v == HTTP_3 || v == HTTP_3_ONLY));
}

/* Decided already: what has failed since is the way to the other connection. */
bool
sent_once_try_again(struct curlew_fetch *f, CURLcode result)
{
    struct hop *hop = f->hop;

    if (!is_given_up(f, result) || !hop->kept || f->failure.error != ERROR_NONE ||
        f->upload != NULL || hop->unanswered.writings == 0 || hop->resend != RESEND_FORBIDDEN)
        return false;
    hop->restart = decide(f);
    return hop->restart;
}

bool
sent_once_needs_newer(const struct curlew_fetch *f, uint64_t conn_id, bool kept_http1)
{
    const struct hop *hop = f->hop;

    return hop->unanswered.writings > 0 && (kept_http1 || conn_id <= hop->newest_id);
}

/*
 * A second writing goes out on a new connection: libcurl would take another kept one.  Under HTTP/2
 * many refused requests may share the new one.  The second leg of an authentication stays on its
 * connection.  A safe method goes again whether it was refused or not, and needs no look at it.
 */
static void
prepare_resend(struct curlew_fetch *f)
{
    struct hop *hop = f->hop;

    if (!fetch_may_multiplex(f)) {
        if (f->request.auth != AUTH_DIGEST)
            hop_set(hop, CURLOPT_FRESH_CONNECT, 1L);
    } else if (!resend_is_safe(f->method)) {
        hop_set(hop, CURLOPT_VERBOSE, 1L); /* on_debug() shall see a refusal */
    }
}

void
sent_once_count(struct curlew_fetch *f, uint64_t newest)
{
    struct hop *hop = f->hop;
    struct unanswered *u = &hop->unanswered;

    if (u->writings++ > 0) {
        f->response.attempts++;
        counter_add(&f->stats->resends[hop->resend], 1);
    } else {
        prepare_resend(f);
    }
    hop->request_size = request_size(hop);
    hop->newest_id = newest;
    hop->resend = RESEND_FORBIDDEN;
    hop->opened = u->refused = false;
    f->was_sent = true;
}

void
sent_once_on_response(struct curlew_fetch *f)
{
    f->hop->unanswered.writings = 0;
}

/* A TLS failure on the connection of the writing is the origin's alert: it has the request. */
static bool
says_unsent(const struct curlew_fetch *f)
{
    return resend_error_says_unsent(f->failure.error) &&
           (f->failure.error != ERROR_TLS_FAILED || f->hop->opened);
}

void
sent_once_correct_failure(struct curlew_fetch *f)
{
    struct failure later = f->failure;

    if (f->hop->unanswered.writings == 0 || !says_unsent(f))
        return;
    f->failure = (struct failure){ 0 };
    failure_set(&f->failure, ERROR_RECV_FAILED,
                "the connection ended before the response began; sending again failed: "
                "%.300s",
                later.detail);
    f->failure.curl_code = CURLE_RECV_ERROR;
}
