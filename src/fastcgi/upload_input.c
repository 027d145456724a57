/* upload_input.c - an upload: the request object's line, then the bytes of its body. */

#include "fastcgi/upload_input.h"

#include <string.h>

void
upload_input_begin(struct fcgi_connection *conn)
{
    conn->upload = (struct upload_input){ .active = true };
    record_parser_pass_bytes(&conn->parser);
}

static size_t
line_max(const struct fcgi_connection *conn)
{
    int64_t limit = conn->worker->server->request_bytes;

    return limit < UPLOAD_LINE_BYTES ? (size_t)limit : UPLOAD_LINE_BYTES;
}

/* -- the line --------------------------------------------------------------- */

/* Where it is, or the number of bytes that there are. */
static size_t
find_line_end(struct fcgi_connection *conn)
{
    struct buffer *in = &conn->in;
    size_t from = conn->upload.scanned;
    const char *end = NULL;

    if (conn->parser.dropping)
        return in->len;
    if (from < in->len)
        end = memchr(in->data + from, '\n', in->len - from);
    conn->upload.scanned = in->len;
    return end != NULL ? (size_t)(end - in->data) : in->len;
}

static void
drop_line(struct fcgi_connection *conn)
{
    conn->upload.line_too_long = true;
    buffer_free(&conn->in);
    record_parser_drop(&conn->parser);
}

/* What follows the line stays in `in`. */
static void
take_line(struct fcgi_connection *conn, size_t n)
{
    struct buffer *body = &conn->exchange.body;

    conn->upload.has_line = true;
    buffer_add(body, conn->in.data, n);
    buffer_drop(&conn->in, n + 1);
    if (buffer_ok(body))
        return;
    buffer_free(body);
    conn->body_lost = true;
    record_parser_drop(&conn->parser);
}

bool
upload_input_try_take_line(struct fcgi_connection *conn, bool ended)
{
    struct upload_input *u = &conn->upload;
    size_t n;

    u->ended |= ended;
    if (u->has_line || conn->state != CONN_READING)
        return false;
    n = find_line_end(conn);
    if (n < conn->in.len && n <= line_max(conn)) {
        take_line(conn, n);
        return true;
    }
    if (n > line_max(conn))
        drop_line(conn);
    return ended;
}

int
upload_input_check_line(const struct fcgi_connection *conn, struct failure *err)
{
    if (!conn->upload.active || conn->upload.has_line)
        return 0;
    if (conn->upload.line_too_long)
        return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                           "the request object before the body is over %zu bytes", line_max(conn));
    return failure_set(err, ERROR_BAD_REQUEST,
                       "the request ends within the line of its request object");
}

/* -- the bytes -------------------------------------------------------------- */

bool
upload_input_is_blocked(const struct fcgi_connection *conn)
{
    return conn->upload.has_line && conn->in.len > 0;
}

bool
upload_input_is_coming(const struct fcgi_connection *conn)
{
    return conn->upload.active && !conn->upload.ended;
}

void
upload_input_drop(struct fcgi_connection *conn)
{
    if (!conn->upload.active || conn->upload.dropped)
        return;
    conn->upload.dropped = true;
    buffer_free(&conn->in);
    record_parser_drop(&conn->parser);
    fcgi_connection_watch(conn, EPOLLIN | (conn->events & EPOLLOUT));
}

void
upload_input_abort(struct fcgi_connection *conn)
{
    upload_input_drop(conn);
    conn->upload.ended = conn->upload.active;
}

bool
upload_input_has_begun(const struct fcgi_connection *conn)
{
    return conn->upload.begun;
}

/* What the fetch has no room for stays. */
static void
pass_on(struct fcgi_connection *conn, struct upload_pipe *pipe)
{
    if (conn->in.len == 0)
        return;
    conn->upload.begun = true;
    buffer_drop(&conn->in, upload_pipe_write(pipe, conn->in.data, conn->in.len));
}

bool
upload_input_try_finish(struct fcgi_connection *conn)
{
    struct exchange *x = &conn->exchange;
    struct upload_input *u = &conn->upload;

    if (!u->has_line || u->dropped || conn->state == CONN_CLOSED || x->fetch == NULL ||
        x->fetch->upload == NULL)
        return false;
    pass_on(conn, x->fetch->upload);
    if (conn->in.len > 0)
        return false;
    buffer_reset(&conn->in, FCGI_CONNECTION_KEEP);
    fcgi_connection_watch(conn, EPOLLIN | (conn->events & EPOLLOUT));
    return (u->ended || conn->body_lost) && !u->told_end;
}

void
upload_input_end(struct fcgi_connection *conn, const struct failure *err)
{
    struct upload_pipe *pipe = conn->exchange.fetch->upload;

    conn->upload.told_end = conn->upload.begun = true;
    if (err != NULL)
        upload_pipe_fail(pipe, err);
    else
        upload_pipe_end(pipe);
}
