/* route_fetches.c - GET …/v1/fetches: what is in flight. */

#include "routes/route_fetches.h"

#include "engine/fetch_list.h"
#include "message/status.h"
#include "routes/session_view.h"

#include <stdlib.h>
#include <string.h>

struct route_fetches {
    struct fetch_list *list;
    struct session_view view; /* read by the engine's threads, and changed by nobody */
};

static void
free_route_data(struct exchange *x)
{
    struct route_fetches *r = x->route_data;

    fetch_list_free(r->list);
    session_view_close(&r->view);
    free(r);
}

static const struct exchange_ops ops = { .free_route_data = free_route_data };

/* By name: the fetch may have begun under an older configuration. */
static bool
allows(const struct session *s, void *exchange)
{
    const struct route_fetches *r = ((struct exchange *)exchange)->route_data;

    for (size_t i = 0; i < r->view.count; i++)
        if (r->view.sessions[i] == s ||
            strcmp(r->view.sessions[i]->settings.name, s->settings.name) == 0)
            return true;
    return false;
}

static void
on_list(void *exchange)
{
    exchange_work_done(exchange);
}

static void
respond(struct exchange *x)
{
    struct route_fetches *r = x->route_data;
    struct failure err = { 0 };

    if (fetch_list_merge(r->list, &err) == 0 && status_write_fetches(&x->prefix, r->list) != 0)
        failure_no_memory(&err);
    if (err.error == ERROR_NONE)
        exchange_respond(x, 200, "application/json");
    else
        exchange_fail(x, &err);
}

/* "limit=10" alone, or nothing. */
static int
read_limit(const struct exchange *x, size_t *limit, struct failure *err)
{
    const char *query = exchange_query(x);
    const char *digits = strncmp(query, "limit=", 6) == 0 ? query + 6 : "";
    size_t n = strspn(digits, "0123456789");

    *limit = FETCH_LIST_DEFAULT;
    if (*query == '\0')
        return 0;
    if (n > 0 && n <= 4 && digits[n] == '\0')
        *limit = (size_t)atoi(digits);
    else
        *limit = 0;
    if (*limit >= 1 && *limit <= FETCH_LIST_MAX)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "limit: the query may have limit=N alone, from 1 to %d", FETCH_LIST_MAX);
}

static int
start(struct exchange *x, struct failure *err)
{
    struct route_fetches *r;
    size_t limit;

    if (read_limit(x, &limit, err) != 0)
        return -1;
    if ((r = calloc(1, sizeof *r)) == NULL)
        return failure_no_memory(err);
    x->route_data = r;
    x->ops = &ops;
    if (session_view_open(&r->view, x, err) != 0 ||
        (r->list = fetch_list_new(x->server->engine, limit, err)) == NULL)
        return -1;
    r->list->allows = r->view.limited ? allows : NULL;
    r->list->done = on_list;
    r->list->arg = x;
    return 0;
}

void
route_fetches_on_request(struct exchange *x)
{
    struct failure err = { 0 };

    if (start(x, &err) != 0) {
        exchange_fail(x, &err);
        return;
    }
    exchange_await_work(x, respond);
    fetch_list_ask(((struct route_fetches *)x->route_data)->list);
}
