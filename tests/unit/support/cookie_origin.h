/*
 * cookie_origin.h - what the tests of hop_cookies share: an origin that sets and tells cookies, an
 * engine whose session has a shared jar.
 */
#ifndef SUPPORT_COOKIE_ORIGIN_H
#define SUPPORT_COOKIE_ORIGIN_H

#include "support/origin.h"
#include "support/runner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct test_origin o;
static struct curlew *c;
static struct failure err;

/*
 * /set?LINE answers with a Set-Cookie field of the line, /set-hold?LINE does so once it is
 * released, /hop?LINE goes on to /, any other just answers.  Each tells the cookies it was sent.
 */
static inline void
set_and_tell(struct seen_request *x)
{
    const char *line = strchr(x->target, '?'), *sent = strstr(x->head, "\r\nCookie: ");
    char fields[8192] = "", body[65536] = "";
    size_t n = 0;

    if (line != NULL)
        for (const char *p = line + 1; *p != '\0'; p++)
            fields[n++] = *p == '+' ? ' ' : *p;
    fields[n] = '\0';
    if (strncmp(x->target, "/set-hold", 9) == 0)
        origin_hold(x);
    if (sent != NULL)
        snprintf(body, sizeof body, "%.*s", (int)strcspn(sent + 10, "\r"), sent + 10);
    origin_say(x, "HTTP/1.1 %d X\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
               strncmp(x->target, "/hop", 4) == 0 ? 302 : 200, n > 0 ? "Set-Cookie: " : "", fields,
               n > 0 ? "\r\n" : "",
               strncmp(x->target, "/hop", 4) == 0 ? "Location: /app/next\r\n" : "", strlen(body),
               body);
}

static inline void
setup(void)
{
    struct engine_config s;

    origin_start(&o, "127.0.0.1", set_and_tell);
    runner_settings(&s);
    s.sessions[0].shared_jar = true;
    c = runner_engine(&s);
}

static inline void
teardown(void)
{
    curlew_free(c);
    runner_check_leaks();
}

static inline struct curlew_fetch *
to(const char *path)
{
    return runner_fetch("%s%s", o.url, path);
}

static inline void
add_cookie(struct curlew_fetch *f, const char *name, const char *value)
{
    const struct cookie own = { .name = (char *)name, .value = (char *)value };

    cr_assert_eq(request_add_cookie(&f->request, &own, &err), 0, "%s", err.detail);
}

/* Fetches and gives up the fetch; the cookies that were sent. */
static inline const char *
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

static inline const char *
sent_to(const char *path)
{
    return sent_by(to(path));
}

static inline const struct cookie *
left_by(const struct curlew_fetch *f, const char *name)
{
    for (size_t i = 0; i < f->response.cookies.count; i++)
        if (strcmp(f->response.cookies.items[i].name, name) == 0)
            return &f->response.cookies.items[i];
    return NULL;
}

#endif
