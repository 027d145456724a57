/* exchange.c - one request of a web server and the response to it: all that a route sees. */

#include "fastcgi/exchange.h"

#include "engine/engine.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/envelope.h"
#include "message/problem.h"
#include "util/descriptors.h"

#include <string.h>

#define HEAD_BYTES_MAX (512 * 1024) /* more than a transfer takes of an origin's head */
#define KEEP_BYTES     4096         /* a buffer up to this size is kept for the next response */
#define KEEP_PIECE     16384        /* likewise, for the next piece of this one */
#define PREFIX_MORE    65536        /* than a body and a half: base64, and other keys */

void
exchange_init(struct exchange *x)
{
    memset(x, 0, sizeof *x);
    buffer_init(&x->body, SIZE_MAX / 2); /* the record parser holds the real limit */
    buffer_init(&x->head, HEAD_BYTES_MAX);
    buffer_init(&x->prefix, SIZE_MAX / 2);
}

void
exchange_reset(struct exchange *x)
{
    buffer_free(&x->body);
    buffer_reset(&x->head, KEEP_BYTES);
    buffer_reset(&x->prefix, KEEP_BYTES);
    fetch_unref(x->fetch);
    x->failure = (struct failure){ 0 };
    if (x->ops != NULL && x->ops->free_route_data != NULL)
        x->ops->free_route_data(x);
    x->fetch = NULL;
    x->route_data = NULL;
    x->ops = NULL;
    x->on_body = x->on_upload = NULL;
    x->wants_turn = false;
    x->frames = x->answered = x->streaming = x->handoff = x->is_surplus = x->partial = x->broken =
        false;
    x->cancelled = x->uploads = false;
    x->middle = x->suffix = NULL;
    x->middle_len = x->suffix_len = x->sent = 0;
}

void
exchange_destroy(struct exchange *x)
{
    exchange_reset(x);
    buffer_free(&x->head);
    buffer_free(&x->prefix);
}

/* -- the request --------------------------------------------------------- */

const char *
exchange_param(const struct exchange *x, const char *name)
{
    return libfcgi_codec_param(x->codec, name);
}

const char *
exchange_method(const struct exchange *x)
{
    const char *method = exchange_param(x, "REQUEST_METHOD");

    return method != NULL ? method : "GET";
}

const char *
exchange_query(const struct exchange *x)
{
    const char *query = exchange_param(x, "QUERY_STRING");

    return query != NULL ? query : "";
}

void
exchange_read_body(struct exchange *x, void (*on_body)(struct exchange *x))
{
    x->on_body = on_body;
}

void
exchange_read_upload(struct exchange *x, void (*on_line)(struct exchange *x))
{
    x->on_body = on_line;
    x->uploads = true;
}

/* -- fetches ------------------------------------------------------------- */

/*
 * On a thread of the engine: the rest is for the exchange's own.  Once the mail is in the inbox,
 * that thread may free the exchange.
 */
static void
post(struct exchange *x, struct mail *mail, int about)
{
    struct fcgi_worker *w = x->worker;

    mail->about = about;
    if (mailbox_push(&w->inbox, mail))
        loop_wake(&w->loop);
}

static void
on_done(struct curlew_fetch *f, void *exchange)
{
    post(exchange, &f->mail, FETCH_FINISHED);
}

static void
on_notify(struct curlew_fetch *f, void *exchange)
{
    post(exchange, &f->notice, FETCH_NOTICE);
}

static void
on_upload_room(struct curlew_fetch *f, void *exchange)
{
    post(exchange, &f->upload_room, FETCH_UPLOAD_ROOM);
}

int
exchange_check_room(const struct exchange *x, struct failure *err)
{
    return x->is_surplus ? descriptors_fail(err) : 0;
}

int
exchange_open_stream(struct exchange *x)
{
    return fetch_stream_body(x->fetch, on_notify, x);
}

int
exchange_open_upload(struct exchange *x, const struct upload_size *size)
{
    return fetch_open_upload(x->fetch, size, on_upload_room, x);
}

void
exchange_await_upload(struct exchange *x, void (*then)(struct exchange *x))
{
    x->on_upload = then;
}

int
exchange_fetch(struct exchange *x, struct curlew_fetch *f)
{
    if (engine_submit(x->server->engine, f, on_done, x) != 0)
        return -1;
    if (x->in_flight++ == 0)
        counter_add(&x->server->stats.parked, 1);
    return 0;
}

void
exchange_fetch_ended(struct exchange *x)
{
    if (--x->in_flight == 0)
        counter_add(&x->server->stats.parked, -1);
}

void
exchange_cancel(struct exchange *x)
{
    if (!x->cancelled)
        counter_add(&x->server->stats.cancelled, 1);
    x->cancelled = true;
    if (x->work.pending)
        x->work.given_up = true;
    else if (x->ops != NULL && x->ops->cancel != NULL)
        x->ops->cancel(x);
    else if (x->fetch != NULL)
        curlew_cancel(x->fetch);
}

/* -- work that may take long ----------------------------------------------- */

static void
run_task(struct task *t)
{
    struct exchange *x = container_of(t, struct exchange, work.task);

    if (!x->work.given_up)
        x->work.run(x);
    post(x, &x->work.mail, EXCHANGE_WORK_ENDED);
}

/* false: there is no helper thread, or too many wait for it. */
static bool
try_hand_over(struct exchange *x, struct helper_thread *helper, size_t size)
{
    struct exchange_work *work = &x->work;

    if (helper == NULL)
        return false;
    work->task.run = run_task;
    work->given_up = false;
    work->pending = work->is_large = true;
    counter_add(&x->server->stats.large, 1);
    if (helper_thread_try_add(helper, &work->task, size))
        return true;
    exchange_work_ended(x);
    return false;
}

int
exchange_read(struct exchange *x, void (*run)(struct exchange *x), void (*then)(struct exchange *x),
              struct failure *err)
{
    x->work.run = run;
    x->work.then = then;
    if (x->body.len > EXCHANGE_LARGE && x->server->reader != NULL) {
        if (try_hand_over(x, x->server->reader, x->body.len))
            return 0;
        return failure_set(err, ERROR_OVERLOADED, "%d requests over %d KiB wait to be read already",
                           EXCHANGE_WAITS_MAX, EXCHANGE_LARGE / 1024);
    }
    run(x);
    then(x);
    return 0;
}

void
exchange_write(struct exchange *x, size_t size, void (*run)(struct exchange *x),
               void (*then)(struct exchange *x))
{
    x->work.run = run;
    x->work.then = then;
    if (size > EXCHANGE_LARGE_RESPONSE && try_hand_over(x, x->server->writer, size))
        return;
    run(x);
    then(x);
}

void
exchange_work_ended(struct exchange *x)
{
    x->work.pending = false;
    if (x->work.is_large)
        counter_add(&x->server->stats.large, -1);
    x->work.is_large = false;
}

void
exchange_await_work(struct exchange *x, void (*then)(struct exchange *x))
{
    x->work.then = then;
    x->work.given_up = false;
    x->work.pending = true;
}

void
exchange_work_done(struct exchange *x)
{
    post(x, &x->work.mail, EXCHANGE_WORK_ENDED);
}

void
exchange_finish_work(struct exchange *x)
{
    struct failure err = { 0 };

    if (!x->work.given_up) {
        x->work.then(x);
        return;
    }
    failure_set(&err, ERROR_CANCELLED, "the caller has aborted the request");
    exchange_fail(x, &err);
}

/* -- the response -------------------------------------------------------- */

/* As exchange_fail() writes failure_no_memory(). */
#define NO_MEMORY                                                                           \
    "{\"type\":\"urn:curlew:problem:internal\",\"title\":\"The daemon could not carry out " \
    "the request\",\"status\":500,\"detail\":\"out of memory\",\"code\":\"internal\"}"
_Static_assert(sizeof NO_MEMORY - 1 == 147, "the Content-Length below");

const char *
exchange_no_memory_response(size_t *n)
{
    static const char text[] = "Status: 500 Internal Server Error\r\n"
                               "Content-Type: application/problem+json\r\n"
                               "Content-Length: 147\r\nCache-Control: no-store\r\n\r\n" NO_MEMORY;

    *n = sizeof text - 1;
    return text;
}

int
exchange_check_response(struct exchange *x)
{
    if (buffer_ok(&x->head) && buffer_ok(&x->prefix))
        return 0;
    buffer_free(&x->head);
    buffer_free(&x->prefix);
    x->middle = exchange_no_memory_response(&x->middle_len);
    x->suffix = NULL;
    x->suffix_len = 0;
    return -1;
}

static const char *
reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 413, "Content Too Large" },
        { 499, "Client Closed Request" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* CGI's form of a response head (RFC 3875 section 6). */
void
exchange_respond(struct exchange *x, int status, const char *type)
{
    bool head = strcmp(exchange_method(x), "HEAD") == 0;

    buffer_adds(&x->head, "Status: ");
    buffer_add_integer(&x->head, status);
    buffer_addc(&x->head, ' ');
    buffer_adds(&x->head, reason_of(status));
    buffer_adds(&x->head, "\r\nContent-Type: ");
    buffer_adds(&x->head, type);
    buffer_adds(&x->head, "\r\nContent-Length: ");
    buffer_add_integer(&x->head, (int64_t)(x->prefix.len + x->middle_len + x->suffix_len));
    buffer_adds(&x->head, "\r\nCache-Control: no-store\r\n\r\n");
    if (exchange_check_response(x) == 0 && head) {
        buffer_free(&x->prefix);
        x->middle_len = x->suffix_len = 0;
    }
    x->answered = true;
}

void
exchange_respond_empty(struct exchange *x)
{
    buffer_adds(&x->head, "Status: 204 No Content\r\nCache-Control: no-store\r\n\r\n");
    exchange_check_response(x);
    x->answered = true;
}

/* x->prefix is the problem document. */
static void
respond_problem(struct exchange *x, const struct failure *f)
{
    int after = f->retry_after > 0 ? f->retry_after : error_retry_after(f->error);

    if (after > 0)
        buffer_printf(&x->head, "Retry-After: %d\r\n", after);
    if (f->error == ERROR_UNAUTHORIZED)
        buffer_adds(&x->head, "WWW-Authenticate: Bearer realm=\"curlew\"\r\n");
    exchange_respond(x, error_status(f->error), "application/problem+json");
}

void
exchange_fail(struct exchange *x, const struct failure *f)
{
    buffer_free(&x->prefix);
    x->middle_len = x->suffix_len = 0;
    problem_write(&x->prefix, f);
    respond_problem(x, f);
}

void
exchange_fail_fetch(struct exchange *x, const struct failure *f)
{
    buffer_free(&x->prefix);
    x->middle_len = x->suffix_len = 0;
    envelope_write_problem(&x->prefix, f, &x->fetch->response);
    respond_problem(x, f);
}

void
exchange_discard_response(struct exchange *x)
{
    x->sent = SIZE_MAX;
    x->answered = true;
}

void
exchange_clear_piece(struct exchange *x)
{
    buffer_free(&x->head);
    buffer_reset(&x->prefix, KEEP_PIECE);
    x->middle = x->suffix = NULL;
    x->middle_len = x->suffix_len = x->sent = 0;
}

/* The engine's account of bodies held goes on with what is really held. */
int
exchange_account_prefix(struct exchange *x, struct failure *err)
{
    struct curlew_fetch *f = x->fetch;
    int64_t body = (int64_t)f->response.body.len, more = (int64_t)x->prefix.len - body;

    buffer_free(&f->response.body);
    if (more > PREFIX_MORE + body / 2 && fetch_try_buffer(f, more) != 0) {
        buffer_free(&x->prefix);
        fetch_set_buffered(f, 0);
        return fetch_overloaded(f, err);
    }
    fetch_set_buffered(f, (int64_t)x->prefix.len);
    return 0;
}

bool
exchange_has_chunks(const struct exchange *x)
{
    return x->ops != NULL && x->ops->next_chunk != NULL;
}

/* The next bytes of what is there already. */
static size_t
next_bytes(struct exchange *x, const char **bytes, size_t n)
{
    const struct {
        const char *data;
        size_t len;
    } parts[] = { { x->head.data, x->head.len },
                  { x->prefix.data, x->prefix.len },
                  { x->middle, x->middle_len },
                  { x->suffix, x->suffix_len } };
    size_t at = x->sent;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (at < parts[i].len) {
            size_t left = parts[i].len - at;

            *bytes = parts[i].data + at;
            n = n < left ? n : left;
            x->sent += n;
            return n;
        }
        at -= parts[i].len;
    }
    return 0;
}

size_t
exchange_next(struct exchange *x, const char **bytes, size_t n)
{
    size_t got = next_bytes(x, bytes, n);

    if (got == 0 && x->partial && x->ops->next_chunk(x))
        got = next_bytes(x, bytes, n);
    return got;
}
