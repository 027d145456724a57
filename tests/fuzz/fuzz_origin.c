/*
 * fuzz_origin.c - an origin's responses through the engine and libcurl into the envelope.
 *
 * The fetch ends, whatever comes. Its envelope is JSON. What is whole is told as it is, what is cut
 * is a failure. The next fetches, from this origin and from another, get their own responses, and
 * the other origin sees nothing of this one's cookies.
 */

#include "engine/engine.h"
#include "message/envelope.h"
#include "message/json.h"
#include "planned_origin.h"

#include <semaphore.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct planned_origin evil, good;
static struct curlew *engine;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct engine_config config;
    struct failure err = { 0 };

    (void)argc;
    (void)argv;
    planned_origin_start(&evil, "127.0.0.1");
    planned_origin_start(&good, "127.0.0.2");
    engine_config_init(&config);
    config.sessions[0].shared_jar = true;
    if (egress_config_add(&config.egress.allow, &config.egress.allow_count, "127.0.0.0/30") != 0)
        abort();
    engine = engine_new(&config, &err);
    check_that(engine != NULL, "the engine starts", err.detail);
    engine_config_destroy(&config);
    return 0;
}

/* -- one fetch -------------------------------------------------------------- */

static void
on_done(struct curlew_fetch *f, void *done)
{
    (void)f;
    sem_post(done);
}

static struct curlew_fetch *
prepare(const char *origin, const char *path)
{
    char url[128];
    struct curlew_fetch *f;

    snprintf(url, sizeof url, "%s%s", origin, path);
    f = curlew_fetch_new(url);
    check_that(f != NULL, "memory", url);
    f->request.total_timeout_ms = 0;      /* a fetch that hangs is found by -timeout of libFuzzer */
    f->request.connect_timeout_ms = 2000; /* a redirect may lead anywhere within 127.0.0.0/30 */
    return f;
}

static void
run(struct curlew_fetch *f)
{
    sem_t done;

    sem_init(&done, 0, 0);
    if (curlew_submit(engine, f, on_done, &done) != 0)
        return; /* the URL of a redirect is refused on the way, the first one never */
    while (sem_wait(&done) != 0)
        ;
    sem_destroy(&done);
}

/* -- what must hold ---------------------------------------------------------- */

static void
check_code(const struct curlew_fetch *f)
{
    enum error e = f->failure.error;

    check_that(e != ERROR_INTERNAL && e != ERROR_UNAUTHORIZED && e != ERROR_OVERLOADED &&
                   e != ERROR_DRAINING && e != ERROR_CANCELLED && e != ERROR_TIMEOUT &&
                   e != ERROR_IDLE_TIMEOUT,
               error_code(e), f->failure.detail);
    check_that(e == ERROR_NONE || f->failure.detail[0] != '\0', "a reason", error_code(e));
}

static void
check_document(const struct curlew_fetch *f)
{
    const struct failure *failed = f->failure.error != ERROR_NONE ? &f->failure : NULL;
    struct failure err = { 0 };
    struct buffer out;
    json_t *document;

    buffer_init(&out, SIZE_MAX / 2);
    if ((failed != NULL ? envelope_write_problem(&out, failed, &f->response)
                        : envelope_write(&out, &f->request, &f->response, -1)) != 0)
        abort();
    document = json_parse(out.data, out.len, &err);
    check_that(document != NULL, "the document is JSON", out.data);
    check_that(json_is_integer(json_object_get(document, "status")), "it has a status", out.data);
    json_decref(document);
    buffer_free(&out);
}

static bool
has_body(const struct curlew_fetch *f, const char *body, size_t n)
{
    return f->response.body.len == n && (n == 0 || memcmp(f->response.body.data, body, n) == 0);
}

static void
check_expected(const struct curlew_fetch *f, const struct planned_response *r)
{
    const struct buffer *body = &f->response.body;
    bool ok = f->failure.error == ERROR_NONE;

    if (r->expected == EXPECT_WHOLE) {
        check_that(ok, "a true response is taken", f->failure.detail);
        check_that(has_body(f, r->body.data, r->body.len), "its body", r->bytes.data);
    } else if (r->expected == EXPECT_FAILURE) {
        check_that(!ok, "a response that is cut is a failure", r->bytes.data);
    } else if (r->expected == EXPECT_PREFIX) {
        check_that(ok && body->len <= r->body.len, "what came up to the close", f->failure.detail);
        check_that(body->len == 0 || memcmp(body->data, r->body.data, body->len) == 0, "as it came",
                   r->bytes.data);
    }
    if (ok && r->expected != EXPECT_ANYTHING)
        check_that(f->response.head.status == r->status, "its status", r->bytes.data);
}

/* Redirects lead to the next one: what is known of the last one counts. */
static void
check_plan(const struct curlew_fetch *f, const struct origin_plan *plan)
{
    size_t last = 0;

    while (plan->responses[last].is_redirect)
        last++;
    check_expected(f, &plan->responses[last]);
    if (f->failure.error == ERROR_NONE && plan->responses[last].expected != EXPECT_ANYTHING)
        check_that(f->response.history_count == last, "its redirects", f->request.url);
}

static void
check_fixed(const struct planned_origin *o, const char *path, bool may_fail)
{
    struct curlew_fetch *f = prepare(o->url, path);
    bool ok;

    run(f);
    ok = f->failure.error == ERROR_NONE;
    check_code(f);
    check_that(ok || may_fail, "the next fetch", f->failure.detail);
    check_that(!ok ||
                   (f->response.head.status == 200 && has_body(f, FIXED_BODY, strlen(FIXED_BODY))),
               "the next fetch gets its own response",
               f->response.body.len > 0 ? f->response.body.data : "");
    curlew_fetch_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    size_t how = take_byte(&in);
    struct origin_plan plan;
    struct curlew_fetch *f = prepare(evil.url, "/0");

    plan_origin(&in, &plan, good.url);
    planned_origin_follow(&evil, &plan);
    if (plan.responses[0].is_http2)
        f->request.http_version = HTTP_2_PRIOR_KNOWLEDGE;
    else if (plan.responses[0].expected == EXPECT_ANYTHING && !plan.responses[0].is_redirect &&
             (how & 1) != 0)
        check_that(curlew_fetch_set_method(f, "HEAD") == 0, "HEAD", "");
    f->request.response_body = (how >> 1) % 3;
    f->request.max_redirects = 5;
    run(f);
    check_code(f);
    check_document(f);
    check_plan(f, &plan);
    curlew_fetch_free(f);
    check_fixed(&evil, "/fixed", true);
    check_fixed(&good, "/", false);
    planned_origin_follow(&evil, NULL);
    check_that(!good.saw_cookie, "the other origin sees no cookie", "");
    plan_destroy(&plan);
    return 0;
}
