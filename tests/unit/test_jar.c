/* test_jar.c - a session's cookies, lent to its fetches. */

#include "session/jar.h"

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct origin o;
static struct curlew *c;
static struct failure why;

/*
 * /set?LINE answers with a Set-Cookie field of the line, /set-hold?LINE does so once it is
 * released, /hop?LINE goes on to /, any other just answers.  Each tells the cookies it was sent.
 */
static void
set_and_tell(struct exchange *x)
{
    const char *line = strchr(x->target, '?'), *sent = strstr(x->head, "\r\nCookie: ");
    char fields[8192] = "", body[8192] = "";
    size_t n = 0;

    if (line != NULL)
        for (const char *p = line + 1; *p != '\0'; p++)
            fields[n++] = *p == '+' ? ' ' : *p;
    fields[n] = '\0';
    if (strncmp(x->target, "/set-hold", 9) == 0)
        exchange_hold(x);
    if (sent != NULL)
        snprintf(body, sizeof body, "%.*s", (int)strcspn(sent + 10, "\r"), sent + 10);
    exchange_say(x, "HTTP/1.1 %d X\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                 strncmp(x->target, "/hop", 4) == 0 ? 302 : 200, n > 0 ? "Set-Cookie: " : "",
                 fields, n > 0 ? "\r\n" : "",
                 strncmp(x->target, "/hop", 4) == 0 ? "Location: /app/next\r\n" : "", strlen(body),
                 body);
}

static void
setup(void)
{
    struct engine_settings s;

    origin_start(&o, "127.0.0.1", set_and_tell);
    runner_settings(&s);
    s.sessions[0].shared_jar = true;
    c = runner_engine(&s);
}

static void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

TestSuite(jar, .init = setup, .fini = teardown, .timeout = 60);

static struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static void
add_cookie(struct curlew_fetch *f, const char *name, const char *value)
{
    const struct cookie own = { .name = (char *)name, .value = (char *)value };

    cr_assert_eq(request_add_cookie(&f->request, &own, &why), 0, "%s", why.detail);
}

/* Fetches and gives up the fetch; the cookies that were sent. */
static const char *
sent_by(struct curlew_fetch *f)
{
    static char sent[8192];
    size_t n;
    const char *body;

    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "ok", "%s", curlew_fetch_detail(f));
    body = curlew_fetch_body(f, &n);
    snprintf(sent, sizeof sent, "%.*s", (int)n, body);
    curlew_fetch_free(f);
    return sent;
}

static const char *
sent_to(const char *path)
{
    return sent_by(to(path));
}

static const struct cookie *
left_by(const struct curlew_fetch *f, const char *name)
{
    for (size_t i = 0; i < f->response.cookies.count; i++)
        if (strcmp(f->response.cookies.items[i].name, name) == 0)
            return &f->response.cookies.items[i];
    return NULL;
}

/* -- what is shared ------------------------------------------------------ */

Test(jar, what_one_fetch_was_given_the_next_one_sends)
{
    cr_assert_str_eq(sent_to("/set?sid=1"), "");
    cr_assert_str_eq(sent_to("/"), "sid=1");
    cr_assert_str_eq(sent_to("/set?sid=2"), "sid=1");
    cr_assert_str_eq(sent_to("/"), "sid=2");
}

Test(jar, a_cookie_stays_under_its_path)
{
    sent_to("/set?sid=1;+Path=/app");

    cr_assert_str_eq(sent_to("/"), "");
    cr_assert_str_eq(sent_to("/app/x"), "sid=1");
}

Test(jar, a_deleted_cookie_leaves_the_jar)
{
    sent_to("/set?sid=1");
    sent_to("/set?other=2");
    sent_to("/set?sid=;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=2");
}

Test(jar, a_cookie_deleted_by_a_date_leaves_the_jar)
{
    sent_to("/set?sid=1;+Path=/");
    sent_to("/set?sid=gone;+Path=/;+Expires=Thu,+01+Jan+1970+00:00:00+GMT");

    cr_assert_str_eq(sent_to("/"), "");
}

Test(jar, clearing_takes_everything_out)
{
    sent_to("/set?sid=1");
    jar_clear(policy_session(c->policy, "default")->state->jar);

    cr_assert_str_eq(sent_to("/"), "");
}

/* -- what is not --------------------------------------------------------- */

Test(jar, a_requests_own_cookie_is_sent_and_stays_out_of_the_jar)
{
    struct curlew_fetch *f = to("/set?theirs=1");

    add_cookie(f, "mine", "secret");
    cr_assert_str_eq(sent_by(f), "mine=secret");
    cr_assert_str_eq(sent_to("/"), "theirs=1");
}

Test(jar, a_requests_own_cookie_wins_over_the_jars)
{
    struct curlew_fetch *f = to("/");

    sent_to("/set?sid=jar;+Path=/");
    add_cookie(f, "sid", "own");
    cr_assert_str_eq(sent_by(f), "sid=own");
    cr_assert_str_eq(sent_to("/"), "sid=jar");
}

/* The origin sets a cookie of the same name elsewhere: the request's own is still nobody else's. */
Test(jar, an_own_cookie_stays_out_though_one_of_its_name_is_set_under_another_path)
{
    struct curlew_fetch *f = to("/set?sid=theirs;+Path=/app");

    add_cookie(f, "sid", "secret");
    runner_do(c, f);
    cr_assert_eq(f->response.cookies.count, 1);
    cr_assert_str_eq(f->response.cookies.items[0].value, "theirs");
    curlew_fetch_free(f);

    cr_assert_str_eq(sent_to("/"), "");
    cr_assert_str_eq(sent_to("/app/"), "sid=theirs");
}

Test(jar, an_own_cookie_that_the_origin_renews_is_the_origins_from_then_on)
{
    struct curlew_fetch *f = to("/set?sid=1;+Path=/;+Max-Age=1000");

    add_cookie(f, "sid", "1");
    runner_do(c, f);
    cr_assert_not_null(left_by(f, "sid"));
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "sid=1");
}

Test(jar, without_a_jar_nothing_outlives_the_fetch)
{
    struct curlew_fetch *f;

    curlew_free(c);
    c = runner_default_engine();
    f = runner_do(c, to("/set?sid=1"));
    cr_assert_str_eq(left_by(f, "sid")->value, "1");
    curlew_fetch_free(f);

    cr_assert_str_eq(sent_to("/"), "");
}

Test(jar, an_own_secure_cookie_is_not_sent_in_the_clear)
{
    const struct cookie own = { .name = (char *)"s", .value = (char *)"1", .secure = true };
    struct curlew_fetch *f;
    struct origin far;

    origin_start(&far, "127.0.0.2", set_and_tell); /* to libcurl 127.0.0.1 is as good as TLS */
    f = runner_fetch("%s/", far.url);
    cr_assert_eq(request_add_cookie(&f->request, &own, &why), 0);
    cr_assert_str_eq(sent_by(f), "");
}

/* -- two at once --------------------------------------------------------- */

static void
meanwhile(const char *slow, const char *fast)
{
    struct run r;

    run_start(&r, c, to(slow));
    origin_await_held(&o, 1);
    sent_to(fast);
    origin_release(&o, 1);
    run_await(&r);
    cr_assert_str_eq(runner_code(r.fetch), "ok");
    curlew_fetch_free(r.fetch);
}

Test(jar, a_slow_fetch_does_not_undo_anothers_log_in)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=new;+Path=/");

    cr_assert_not_null(strstr(sent_to("/"), "sid=new"));
}

Test(jar, a_slow_fetch_does_not_undo_anothers_log_out)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?other=1;+Path=/", "/set?sid=;+Path=/;+Max-Age=0");

    cr_assert_str_eq(sent_to("/"), "other=1");
}

Test(jar, a_slow_fetch_that_sets_a_cookie_of_the_same_name_elsewhere_undoes_nothing)
{
    sent_to("/set?sid=old;+Path=/");
    meanwhile("/set-hold?sid=x;+Path=/app", "/set?sid=new;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=new");
}

Test(jar, of_two_log_ins_at_once_the_later_one_stays)
{
    meanwhile("/set-hold?sid=slow;+Path=/", "/set?sid=fast;+Path=/");

    cr_assert_str_eq(sent_to("/"), "sid=slow");
}

/* -- a chain of redirects ------------------------------------------------ */

Test(jar, a_cookie_set_on_the_way_is_sent_on_and_told)
{
    struct curlew_fetch *f = to("/hop?sid=1;+Path=/;+HttpOnly;+Max-Age=1000");
    const struct cookie *left;
    size_t n;

    runner_do(c, f);
    cr_assert_eq(memcmp(curlew_fetch_body(f, &n), "sid=1", 5), 0);
    left = left_by(f, "sid");
    cr_assert_not_null(left);
    cr_assert_str_eq(left->value, "1");
    cr_assert_str_eq(left->domain, "127.0.0.1");
    cr_assert_str_eq(left->path, "/");
    cr_assert(left->http_only);
    cr_assert_not(left->secure);
    cr_assert_gt(left->expires, 0);
    curlew_fetch_free(f);
    cr_assert_str_eq(sent_to("/"), "sid=1");
}

Test(jar, own_cookies_go_along_within_the_host)
{
    struct curlew_fetch *f = to("/hop?sid=1;+Path=/elsewhere");

    add_cookie(f, "mine", "1");
    cr_assert_str_eq(sent_by(f), "mine=1");
}

/* -- at the limits ------------------------------------------------------- */

static struct curl_slist *
contents(struct jar *j)
{
    CURL *easy = curl_easy_init();
    struct curl_slist *lines = jar_lend(j, easy);

    curl_easy_cleanup(easy);
    return lines;
}

static int
count_of(struct jar *j)
{
    struct curl_slist *lines = contents(j);
    int n = 0;

    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        n++;
    curl_slist_free_all(lines);
    return n;
}

/* As a fetch does it whose response set this cookie. */
static void
set_directly(struct jar *j, const char *name, const char *value)
{
    CURL *easy = curl_easy_init();
    struct curl_slist *lent = jar_lend(j, easy);
    struct pairs named = { 0 };
    struct cookies left = { 0 };
    char line[200];

    snprintf(line, sizeof line, "a.example\tFALSE\t/\tFALSE\t0\t%s\t%s", name, value);
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
    pairs_add(&named, name, strlen(name), value, strlen(value));
    cr_assert_eq(jar_return(j, easy, lent, &named, &left), 0);
    cr_assert_eq(left.count, 1, "it is told, whether there was room or not");
    pairs_destroy(&named);
    cookies_destroy(&left);
    curl_slist_free_all(lent);
    curl_easy_cleanup(easy);
}

static void
fill(struct jar *j, int n)
{
    CURL *easy = curl_easy_init();
    struct pairs named = { 0 };
    struct cookies left = { 0 };

    jar_lend(NULL, easy);
    for (int i = 0; i < n; i++) {
        char line[100];

        snprintf(line, sizeof line, "a.example\tFALSE\t/p%d\tFALSE\t0\tfill\t1", i);
        curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
    }
    pairs_add(&named, "fill", 4, "1", 1);
    jar_return(j, easy, NULL, &named, &left);
    pairs_destroy(&named);
    cookies_destroy(&left);
    curl_easy_cleanup(easy);
}

Test(jar, holds_exactly_as_many_cookies_as_it_says)
{
    struct jar *j = jar_new();

    fill(j, JAR_COOKIES_MAX - 1);
    set_directly(j, "last", "1");
    cr_assert_eq(count_of(j), JAR_COOKIES_MAX);
    set_directly(j, "one_more", "1");
    cr_assert_eq(count_of(j), JAR_COOKIES_MAX);
    jar_free(j);
}

static bool
holds_line(struct jar *j, const char *end)
{
    struct curl_slist *lines = contents(j);
    bool found = false;

    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        found |= strlen(l->data) > strlen(end) &&
                 strcmp(l->data + strlen(l->data) - strlen(end), end) == 0;
    curl_slist_free_all(lines);
    return found;
}

Test(jar, a_full_jar_still_takes_a_new_value_for_a_cookie_it_has)
{
    struct jar *j = jar_new();

    fill(j, JAR_COOKIES_MAX - 1);
    set_directly(j, "sid", "old");
    set_directly(j, "sid", "new");

    cr_assert(holds_line(j, "sid\tnew"));
    cr_assert_not(holds_line(j, "sid\told"));
    jar_free(j);
}

Test(jar, an_own_cookie_longer_than_libcurl_takes_is_a_bad_request)
{
    struct curlew_fetch *f = to("/");
    char *value = calloc(1, 20001);

    memset(value, 'x', 20000);
    add_cookie(f, "big", value);
    runner_do(c, f);
    cr_assert_str_eq(runner_code(f), "bad_request");
    cr_assert_not_null(strstr(curlew_fetch_detail(f), "cookies: "));
    free(value);
    curlew_fetch_free(f);
}
