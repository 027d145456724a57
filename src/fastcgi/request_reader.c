/* request_reader.c - bytes of a web server become the events of a request. */

#include "fastcgi/request_reader.h"

#include "fastcgi/libfcgi_codec.h"
#include "fastcgi/upload_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

    if (conn->exchange.uploads)
        upload_input_begin(conn);
    else if (length != NULL && strtoll(length, NULL, 10) > conn->worker->server->request_bytes)
        record_parser_drop(&conn->parser);
}

/* The body, as far as it has come, is on the account of all requests' bodies, or dropped. */
static void
account_body(struct fcgi_connection *conn)
{
    struct fcgi_server *server = conn->worker->server;
    int64_t more = (int64_t)conn->parser.stdin_bytes - conn->body_bytes;

    if (more <= 0 || conn->parser.dropping || conn->upload.has_line)
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
    if (conn->body_lost)
        return failure_no_memory(err);
    if (conn->over_budget)
        return failure_set(err, ERROR_OVERLOADED,
                           "limits.buffered_bytes: the bodies of all requests together are over "
                           "%lld bytes",
                           (long long)conn->worker->server->bodies_bytes);
    if (conn->upload.active)
        return upload_input_check_line(conn, err);
    if (!conn->parser.dropping)
        return 0;
    return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                       "limits.request_bytes: the request's body is over %lld bytes",
                       (long long)conn->worker->server->request_bytes);
}

/* A body that is not as long as announced is not the one that was sent. */
static int
check_length(const struct fcgi_connection *conn, struct failure *err)
{
    const char *announced = libfcgi_codec_param(conn->codec, "CONTENT_LENGTH");
    size_t received = conn->parser.stdin_bytes;
    unsigned long long length;
    char *end;

    if (announced == NULL || *announced == '\0' || (conn->upload.active && !conn->upload.ended))
        return 0;
    if (strcmp(announced, "-1") == 0) /* Caddy 2.6, of a chunked body: it does not know */
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

/* What is left of the request is read all the same, as some peers read nothing before. */
static void
refuse(struct fcgi_connection *conn)
{
    conn->refused = true;
    buffer_free(&conn->in);
    record_parser_drop(&conn->parser);
}

static void
lose_body(struct fcgi_connection *conn)
{
    conn->body_lost = true;
    buffer_free(&conn->in);
    record_parser_drop(&conn->parser);
}

/* `in` is to hold all of the parameters, or of STDIN; of neither a part is any good. */
static void
on_lost_input(struct fcgi_connection *conn)
{
    buffer_free(&conn->in);
    if (conn->in_request)
        lose_body(conn);
    else
        conn->refused = true;
}

static enum request_event
on_params(struct fcgi_connection *conn)
{
    const struct params *params = &conn->parser.params;

    fcgi_connection_begin_request(conn);
    conn->keep_alive = conn->parser.keep;
    conn->parser.stdin_max = (size_t)conn->worker->server->request_bytes;
    if (conn->refused || libfcgi_codec_reserve(conn->codec, params->bytes, params->pairs) != 0) {
        refuse(conn);
        return REQUEST_MORE;
    }
    return libfcgi_codec_accept(conn->codec) == 0 ? REQUEST_PARAMS : REQUEST_CLOSE;
}

/* From `in`; what there is no memory for is lost, and the request still gets its answer. */
static enum request_event
read_body(struct fcgi_connection *conn)
{
    if (libfcgi_codec_read_body(conn->codec, &conn->exchange.body) == 0)
        return REQUEST_COMPLETE;
    if (buffer_ok(&conn->exchange.body))
        return REQUEST_CLOSE;
    buffer_free(&conn->exchange.body);
    lose_body(conn);
    return REQUEST_COMPLETE;
}

static enum request_event
on_body(struct fcgi_connection *conn)
{
    enum request_event event = REQUEST_COMPLETE;

    if (conn->state != CONN_READING) /* nobody waits for a body that is not wanted */
        return REQUEST_MORE;
    if (conn->refused)
        return REQUEST_REFUSED;
    if (!conn->parser.dropping)
        event = read_body(conn);
    buffer_reset(&conn->in, FCGI_CONNECTION_KEEP);
    return event;
}

static enum request_event
on_upload(struct fcgi_connection *conn, bool ended)
{
    return upload_input_try_take_line(conn, ended) ? REQUEST_COMPLETE : REQUEST_MORE;
}

static enum request_event
on_record(struct fcgi_connection *conn, enum record_event event)
{
    switch (event) {
    case RECORD_MORE:
        return conn->upload.active ? on_upload(conn, false) : REQUEST_MORE;
    case RECORD_PARAMS_DONE:
        return on_params(conn);
    case RECORD_REQUEST_DONE:
        return conn->upload.active ? on_upload(conn, true) : on_body(conn);
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

        if (!buffer_ok(&conn->out))
            record = RECORD_BROKEN;
        if (!buffer_ok(&conn->in))
            on_lost_input(conn);
        account_body(conn);
        event = on_record(conn, record);
        input->bytes += used;
        input->len -= used;
    }
    return event;
}
