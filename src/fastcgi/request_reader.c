/* request_reader.c - bytes of a web server become the events of a request. */

#include "fastcgi/request_reader.h"

#include "fastcgi/libfcgi_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int
request_reader_recv(struct fcgi_connection *conn, struct request_input *input)
{
    ssize_t n = recv(conn->watch.fd, conn->worker->scratch, FCGI_SCRATCH_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    *input = (struct request_input){ conn->worker->scratch, (size_t)n };
    return 1;
}

bool
request_reader_has_next_request(const struct fcgi_connection *conn)
{
    unsigned char peek[8];
    ssize_t n = recv(conn->watch.fd, peek, sizeof peek, MSG_PEEK | MSG_DONTWAIT);

    return n > 0 && record_parser_is_next_request(&conn->parser, peek, (size_t)n);
}

/* -- the body ------------------------------------------------------------ */

void
request_reader_expect_body(struct fcgi_connection *conn)
{
    const char *length = libfcgi_codec_param(conn->codec, "CONTENT_LENGTH");

    if (length != NULL && strtoll(length, NULL, 10) > conn->worker->server->request_bytes)
        record_parser_drop(&conn->parser);
}

/* The body, as far as it has come, is on the account of all requests' bodies, or dropped. */
static void
account_body(struct fcgi_connection *conn)
{
    struct fcgi_server *server = conn->worker->server;
    int64_t more = (int64_t)conn->parser.stdin_bytes - conn->body_bytes;

    if (more <= 0 || conn->parser.dropping)
        return;
    conn->body_bytes += more;
    if (atomic_fetch_add(&server->stats.bodies, more) + more <= server->bodies_bytes)
        return;
    counter_add(&server->stats.bodies, -conn->body_bytes);
    conn->body_bytes = 0;
    conn->over_budget = true;
    record_parser_drop(&conn->parser);
    buffer_free(&conn->in);
}

/*
 * The error is sent only once the peer has sent all of the body: h2o aborts and HAProxy hangs when
 * the response comes before they are done.
 */
static int
check_size(const struct fcgi_connection *conn, struct failure *err)
{
    if (!conn->parser.dropping)
        return 0;
    if (conn->over_budget)
        return failure_set(err, ERROR_OVERLOADED,
                           "limits.buffered_bytes: the bodies of all requests together are over "
                           "%lld bytes",
                           (long long)conn->worker->server->bodies_bytes);
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)conn->worker->server->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(const struct fcgi_connection *conn, struct failure *err)
{
    const char *announced = libfcgi_codec_param(conn->codec, "CONTENT_LENGTH");
    size_t received = conn->exchange.body.len;
    unsigned long long length;
    char *end;

    if (announced == NULL || *announced == '\0')
        return 0;
    length = strtoull(announced, &end, 10);
    if (*announced >= '0' && *announced <= '9' && *end == '\0' && length == received)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "CONTENT_LENGTH is \"%.32s\", but the body has %zu bytes", announced,
                       received);
}

int
request_reader_check_body(const struct fcgi_connection *conn, struct failure *err)
{
    return check_size(conn, err) == 0 && check_length(conn, err) == 0 ? 0 : -1;
}

/* -- records ------------------------------------------------------------- */

static enum request_event
on_params(struct fcgi_connection *conn)
{
    fcgi_connection_begin_request(conn);
    if (libfcgi_codec_accept(conn->codec) != 0)
        return REQUEST_CLOSE;
    conn->keep_alive = conn->parser.keep;
    conn->parser.stdin_max = (size_t)conn->worker->server->request_bytes;
    return REQUEST_PARAMS;
}

static enum request_event
on_body(struct fcgi_connection *conn)
{
    if (conn->state != CONN_READING) /* nobody waits for a body that is not wanted */
        return REQUEST_MORE;
    if (!conn->parser.dropping && libfcgi_codec_read_body(conn->codec, &conn->exchange.body) != 0)
        return REQUEST_CLOSE;
    buffer_reset(&conn->in, FCGI_CONNECTION_KEEP);
    return REQUEST_COMPLETE;
}

static enum request_event
on_record(struct fcgi_connection *conn, enum record_event event)
{
    switch (event) {
    case RECORD_MORE:
        return REQUEST_MORE;
    case RECORD_PARAMS_DONE:
        return on_params(conn);
    case RECORD_REQUEST_DONE:
        return on_body(conn);
    case RECORD_TOO_LARGE:
        buffer_free(&conn->in);
        return REQUEST_MORE;
    case RECORD_ABORTED:
        return REQUEST_ABORTED;
    case RECORD_CLOSE:
    case RECORD_BROKEN:
        return REQUEST_CLOSE;
    }
    return REQUEST_CLOSE;
}

enum request_event
request_reader_next(struct fcgi_connection *conn, struct request_input *input)
{
    enum request_event event = REQUEST_MORE;

    while (input->len > 0 && event == REQUEST_MORE) {
        size_t used;
        enum record_event record = record_parser_feed(&conn->parser, input->bytes, input->len,
                                                      &used, &conn->in, &conn->out);

        if (!buffer_ok(&conn->in) || !buffer_ok(&conn->out))
            record = RECORD_BROKEN;
        account_body(conn);
        event = on_record(conn, record);
        input->bytes += used;
        input->len -= used;
    }
    return event;
}
