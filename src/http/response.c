/* response.c - what came back: one response as plain data. */

#include "http/response.h"

#include <stdlib.h>
#include <string.h>

void
response_init(struct response *r)
{
    memset(r, 0, sizeof *r);
    response_framing_init(&r->framing);
    buffer_init(&r->body, SIZE_MAX / 2); /* the transfer holds the real limit */
}

int
response_head_begin(struct response_head *h, const char *url, int status, const char *reason,
                    size_t reason_size)
{
    h->status = status;
    h->url = headers_keep(&h->headers, url, strlen(url));
    h->reason = headers_keep(&h->headers, reason, reason_size);
    return h->url != NULL && h->reason != NULL ? 0 : -1;
}

void
response_head_destroy(struct response_head *h)
{
    headers_destroy(&h->headers);
    *h = (struct response_head){ 0 };
}

void
response_clear_message(struct response *r)
{
    headers_destroy(&r->trailers);
    free(r->content_encoding);
    r->content_encoding = NULL;
    r->decoded = false;
    response_framing_init(&r->framing);
}

void
response_destroy(struct response *r)
{
    response_head_destroy(&r->head);
    response_clear_message(r);
    for (size_t i = 0; i < r->history_count; i++)
        response_head_destroy(&r->history[i]);
    free(r->history);
    cookies_destroy(&r->cookies);
    buffer_free(&r->body);
    response_init(r);
}

int
response_push_history(struct response *r)
{
    struct response_head *p = realloc(r->history, (r->history_count + 1) * sizeof *p);

    if (p == NULL)
        return -1;
    p[r->history_count++] = r->head;
    r->history = p;
    r->head = (struct response_head){ 0 };
    return 0;
}

void
response_pop_history(struct response *r)
{
    response_head_destroy(&r->head);
    r->head = r->history[--r->history_count];
}

static int
head_copy(struct response_head *to, const struct response_head *from)
{
    const char *reason = from->reason != NULL ? from->reason : "";

    if (response_head_begin(to, from->url != NULL ? from->url : "", from->status, reason,
                            strlen(reason)) != 0)
        return -1;
    return headers_add_all(&to->headers, &from->headers);
}

int
response_copy(struct response *to, const struct response *from)
{
    for (size_t i = 0; i < from->history_count; i++)
        if (head_copy(&to->head, &from->history[i]) != 0 || response_push_history(to) != 0)
            return -1;
    if (cookies_add_all(&to->cookies, &from->cookies) != 0 ||
        headers_add_all(&to->trailers, &from->trailers) != 0)
        return -1;
    if (from->content_encoding != NULL &&
        (to->content_encoding = strdup(from->content_encoding)) == NULL)
        return -1;
    to->framing = from->framing;
    to->decoded = from->decoded;
    buffer_add(&to->body, from->body.data, from->body.len);
    to->body_bytes = from->body_bytes;
    to->redirect_failed = from->redirect_failed;
    to->http_version = from->http_version;
    to->timing = from->timing;
    to->reused = from->reused;
    memcpy(to->remote_ip, from->remote_ip, sizeof to->remote_ip);
    memcpy(to->local_ip, from->local_ip, sizeof to->local_ip);
    to->remote_port = from->remote_port;
    to->local_port = from->local_port;
    to->attempts = from->attempts;
    to->impersonated = from->impersonated;
    return head_copy(&to->head, &from->head) == 0 && buffer_ok(&to->body) ? 0 : -1;
}

const char *
response_version_name(int http_version)
{
    switch (http_version) {
    case 10:
        return "1.0";
    case 11:
        return "1.1";
    case 20:
        return "2";
    case 30:
        return "3";
    default:
        return NULL;
    }
}
