/* route_status.c - GET …/v1/status and …/status: the state, for programs and for people. */

#include "routes/route_status.h"

#include "message/status.h"
#include "routes/session_view.h"
#include "util/base64.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/sha256.h"

#include <pthread.h>
#include <string.h>

/* -- the figures --------------------------------------------------------- */

static int
write_status(struct exchange *x, const struct session_view *view)
{
    const struct fcgi_server *server = x->server;
    const struct status_gateway facts = {
        .uptime_seconds = (double)(clock_us() - server->started_us) / US_PER_SECOND,
        .start_time_seconds = server->start_time,
        .draining = server->draining,
        .connections = counter_read(&server->stats.connections),
        .parked = counter_read(&server->stats.parked),
        .requests = counter_read(&server->stats.requests),
        .large_messages = counter_read(&server->stats.large),
        .slow_turns = counter_read(&server->stats.slow_turns),
        .cancelled = counter_read(&server->stats.cancelled),
        .log_lines_dropped = (int64_t)log_dropped_lines(),
    };

    if (view->limited)
        return status_write_limited(&x->prefix, server->engine, &facts, view->sessions,
                                    view->count);
    return status_write(&x->prefix, server->engine, &facts);
}

void
route_status_on_request(struct exchange *x)
{
    struct failure err = { 0 };
    struct session_view view;

    if (session_view_open(&view, x, &err) != 0) {
        exchange_fail(x, &err);
        return;
    }
    if (write_status(x, &view) == 0) {
        buffer_adds(&x->head, "X-Content-Type-Options: nosniff\r\n");
        exchange_respond(x, 200, "application/json");
    } else {
        failure_no_memory(&err);
        exchange_fail(x, &err);
    }
    session_view_close(&view);
}

/* -- the page ------------------------------------------------------------- */

/* The files of status_page/, which the Makefile makes arrays of. */
extern const unsigned char status_page_html[], status_page_css[], status_page_js[];
extern const size_t status_page_html_size, status_page_css_size, status_page_js_size;

#define STYLE_MARK  "<!-- style -->"
#define SCRIPT_MARK "<!-- script -->"
static unsigned char style_digest[SHA256_SIZE], script_digest[SHA256_SIZE];

static void
digest_parts(void)
{
    sha256_digest(style_digest, status_page_css, status_page_css_size);
    sha256_digest(script_digest, status_page_js, status_page_js_size);
}

/* The page's HTML up to this mark, and then the file that stands in its place. */
static const char *
add_part(struct buffer *to, const char *at, const char *mark, const unsigned char *part, size_t n)
{
    const char *end = strstr(at, mark);

    buffer_add(to, at, (size_t)(end - at));
    buffer_add(to, part, n);
    return end + strlen(mark);
}

static void
add_page(struct buffer *to)
{
    const char *at = (const char *)status_page_html;

    at = add_part(to, at, STYLE_MARK, status_page_css, status_page_css_size);
    at = add_part(to, at, SCRIPT_MARK, status_page_js, status_page_js_size);
    buffer_adds(to, at);
}

static void
add_source(struct buffer *to, const char *directive, const unsigned char digest[SHA256_SIZE])
{
    buffer_printf(to, "; %s 'sha256-", directive);
    base64_encode(to, digest, SHA256_SIZE);
    buffer_adds(to, "'");
}

/* Nothing but the page's own style and script, by their hashes, and requests to its own site. */
static void
add_headers(struct buffer *to)
{
    buffer_adds(to, "Content-Security-Policy: default-src 'none'");
    add_source(to, "style-src", style_digest);
    add_source(to, "script-src", script_digest);
    buffer_adds(to, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
                    "X-Content-Type-Options: nosniff\r\n"
                    "X-Frame-Options: DENY\r\n"
                    "Referrer-Policy: no-referrer\r\n"
                    "Cross-Origin-Opener-Policy: same-origin\r\n"
                    "Cross-Origin-Resource-Policy: same-origin\r\n");
}

void
route_status_on_page(struct exchange *x)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, digest_parts);
    add_headers(&x->head);
    add_page(&x->prefix);
    exchange_respond(x, 200, "text/html; charset=utf-8");
}
