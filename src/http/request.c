/* request.c - what to fetch and how: one request object as plain data. */

#include "http/request.h"

#include "util/array.h"
#include "util/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOTAL_TIMEOUT_MS   30000
#define CONNECT_TIMEOUT_MS 10000
#define MAX_REDIRECTS      30

void
request_init(struct request *r)
{
    *r = (struct request){
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .total_timeout_ms = TOTAL_TIMEOUT_MS,
        .follow_redirects = true,
        .max_redirects = MAX_REDIRECTS,
        .verify = true,
        .decompress = true,
        .max_body_bytes = INT64_MAX,
    };
    retry_policy_init(&r->retries);
}

static void
part_destroy(struct part *p)
{
    free(p->name);
    free(p->data);
    free(p->filename);
    free(p->content_type);
}

static void
credentials_destroy(struct credentials *c)
{
    free(c->user);
    free(c->password);
}

void
request_destroy(struct request *r)
{
    free(r->url);
    free(r->method);
    free(r->session);
    free(r->tag);
    headers_destroy(&r->headers);
    headers_destroy(&r->forward);
    headers_destroy(&r->trace);
    cookies_destroy(&r->cookies);
    free(r->body);
    for (size_t i = 0; i < r->part_count; i++)
        part_destroy(&r->parts[i]);
    free(r->parts);
    free(r->impersonate);
    free(r->proxy);
    credentials_destroy(&r->proxy_auth);
    credentials_destroy(&r->auth_pair);
    free(r->auth_token);
    retry_policy_destroy(&r->retries);
    request_init(r);
}

bool
request_has_header(const struct request *r, const char *name)
{
    return headers_has(&r->headers, name);
}

const char *
request_method(const struct request *r)
{
    if (r->method != NULL)
        return r->method;
    return r->body != NULL || r->part_count > 0 ? "POST" : "GET";
}

/* -- what may be said ---------------------------------------------------- */

/* RFC 9110 section 5.6.2. */
static bool
is_token(const char *s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        bool alnum = (*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z');

        if (!alnum && strchr(others, *s) == NULL)
            return false;
    }
    return true;
}

int
request_set_method(struct request *r, const char *method, struct failure *err)
{
    if (!is_token(method))
        return failure_set(err, ERROR_BAD_REQUEST, "method: \"%.40s\" is not a token", method);
    free(r->method);
    r->method = strdup(method);
    r->set |= SET_METHOD;
    return r->method == NULL ? failure_no_memory(err) : 0;
}

/* Of the message or of the hop, not of what is asked for. */
static const char *const framing[] = {
    "host",    "connection", "content-length",   "transfer-encoding",   "te",     "trailer",
    "upgrade", "keep-alive", "proxy-connection", "proxy-authorization", "expect", "http2-settings",
};

int
request_add_retry_method(struct request *r, const char *method, struct failure *err)
{
    if (!is_token(method))
        return failure_set(err, ERROR_BAD_REQUEST, "retries.methods: \"%.40s\" is not a token",
                           method);
    return retry_policy_add_method(&r->retries, method) != 0 ? failure_no_memory(err) : 0;
}

int
request_forward_header(struct request *r, const char *name, struct failure *err)
{
    if (!is_token(name))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "forward_headers: \"%.80s\" is not a header name", name);
    for (size_t i = 0; i < sizeof framing / sizeof framing[0]; i++)
        if (strcasecmp(name, framing[i]) == 0)
            return failure_set(err, ERROR_BAD_REQUEST,
                               "forward_headers: \"%s\" is between the browser and its web server",
                               name);
    if (headers_add(&r->forward, name, strlen(name), NULL, 0) != 0)
        return failure_no_memory(err);
    return 0;
}

int
request_add_header(struct request *r, const char *name, const char *value, struct failure *err)
{
    if (!is_token(name))
        return failure_set(err, ERROR_BAD_REQUEST, "headers: \"%.80s\" is not a header name", name);
    if (value != NULL && strpbrk(value, "\r\n") != NULL)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "headers.%.80s: CR, LF and NUL are not allowed in a value", name);
    if (headers_add(&r->headers, name, strlen(name), value, value ? strlen(value) : 0) != 0)
        return failure_no_memory(err);
    return 0;
}

/* A cookie's text passes through libcurl's tab-separated lines, and then through a header. */
static bool
is_cookie_text(const char *s, const char *forbidden)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || strchr(forbidden, *s) != NULL)
            return false;
    return true;
}

int
request_add_cookie(struct request *r, const struct cookie *c, struct failure *err)
{
    if (*c->name == '\0' || !is_cookie_text(c->name, "=; "))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies: \"%.80s\" is not a cookie name",
                           c->name);
    if (!is_cookie_text(c->value, ";"))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "cookies.%.80s: the value has a semicolon or a control character",
                           c->name);
    if (c->domain != NULL && (*c->domain == '\0' || !is_cookie_text(c->domain, "; /#")))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies.%.80s: not a domain", c->name);
    if (c->path != NULL && (*c->path != '/' || !is_cookie_text(c->path, ";")))
        return failure_set(err, ERROR_BAD_REQUEST, "cookies.%.80s: a path begins with /", c->name);
    return cookies_add(&r->cookies, c) != 0 ? failure_no_memory(err) : 0;
}

int
request_add_part(struct request *r, const struct part *p, struct failure *err)
{
    struct part *item = array_grow((void **)&r->parts, &r->part_count, sizeof *item);

    if (item == NULL)
        return failure_no_memory(err);
    item->size = p->size;
    if ((item->data = malloc(p->size + 1)) == NULL)
        return failure_no_memory(err);
    memcpy(item->data, p->data, p->size);
    item->data[p->size] = '\0';
    if (text_copy(&item->name, p->name) || text_copy(&item->filename, p->filename) ||
        text_copy(&item->content_type, p->content_type))
        return failure_no_memory(err);
    return 0;
}
