/* response.c - what came back: one response as plain data. */

#include "session/response.h"

#include <stdlib.h>
#include <string.h>

void
response_init(struct response *r)
{
    memset(r, 0, sizeof *r);
    buffer_init(&r->body, SIZE_MAX / 2); /* the transfer holds the real limit */
}

void
head_destroy(struct head *h)
{
    free(h->reason);
    free(h->url);
    pairs_destroy(&h->headers);
    *h = (struct head){ 0 };
}

void
response_destroy(struct response *r)
{
    head_destroy(&r->head);
    for (size_t i = 0; i < r->history_count; i++)
        head_destroy(&r->history[i]);
    free(r->history);
    cookies_destroy(&r->cookies);
    buffer_free(&r->body);
    response_init(r);
}

int
response_push_history(struct response *r)
{
    struct head *p = realloc(r->history, (r->history_count + 1) * sizeof *p);

    if (p == NULL)
        return -1;
    p[r->history_count++] = r->head;
    r->history = p;
    r->head = (struct head){ 0 };
    return 0;
}
