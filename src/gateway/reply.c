/* reply.c - writing an answer to a web server, as fast as it reads and no faster. */

#include "gateway/reply.h"

#include "gateway/fastcgi.h"
#include "gateway/responder.h"

#include <errno.h>
#include <sys/socket.h>

#define SLICE_BYTES 65536        /* of an answer, framed at once */
#define OUT_BYTES   (256 * 1024) /* framed and not yet taken by the peer, before framing pauses */

/* Ready for the next request, or closed: never first on an idle connection, but in a drain. */
static void
end_answer(struct connection *c)
{
    bool linger = c->screen.phase == PHASE_STDIN; /* the peer is still sending */

    timer_clear(&connection_loop(c)->timers, &c->timer);
    call_reset(&c->call);
    c->finished = false;
    connection_request_over(c);
    if (linger) {
        /* With bytes unread a close would be a reset, which could overtake the answer. */
        shutdown(c->watch.fd, SHUT_WR);
        c->state = LINGERING;
        connection_watch_for(c, EPOLLIN);
        connection_be_patient(c, CONNECTION_PATIENCE_S);
    } else if (!c->keep || connection_gateway(c)->draining) {
        connection_close(c);
    } else {
        c->state = READING;
        connection_watch_for(c, EPOLLIN);
    }
}

int
reply_send(struct connection *c)
{
    while (c->out_sent < c->out.len) {
        ssize_t n = send(c->watch.fd, c->out.data + c->out_sent, c->out.len - c->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        c->out_sent += (size_t)n;
        if (c->state == WRITING && c->timer.place != 0)
            connection_be_patient(c, CONNECTION_WRITE_S);
    }
    connection_reset_buffer(&c->out);
    c->out_sent = 0;
    return 1;
}

/* Frame some more of the answer; the end record follows the last of it. */
static void
frame(struct connection *c)
{
    const char *bytes;
    size_t n = 1;

    if (c->out_sent > OUT_BYTES / 2) { /* or a slow peer's answer would be held twice as a whole */
        buffer_drop(&c->out, c->out_sent);
        c->out_sent = 0;
    }
    while (c->out.len - c->out_sent < OUT_BYTES && n > 0) {
        n = call_next(&c->call, &bytes, SLICE_BYTES);
        fastcgi_write(c->fastcgi, bytes, n);
    }
    if (n == 0 && !c->finished) {
        fastcgi_finish(c->fastcgi);
        c->finished = true;
    }
}

void
reply_pump(struct connection *c)
{
    int sent = 1;

    while (sent == 1 && !c->finished) {
        frame(c);
        sent = buffer_ok(&c->out) ? reply_send(c) : -1;
    }
    if (sent == 1)
        sent = reply_send(c);
    if (sent < 0) {
        connection_close(c);
    } else if (sent == 1) {
        end_answer(c);
    } else {
        connection_watch_for(c, EPOLLIN | EPOLLOUT);
        if (c->timer.place == 0)
            connection_be_patient(c, CONNECTION_WRITE_S);
    }
}

void
reply_start(struct connection *c)
{
    c->state = WRITING;
    reply_pump(c);
}
