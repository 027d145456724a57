/* redirect.c - following a redirect: which hop comes next, and how. */

#include "engine/redirect.h"

#include "transfer/egress_hooks.h"
#include "transfer/transfer.h"

#include <string.h>
#include <strings.h>

static bool
is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool
redirect_follows(const struct curlew_fetch *f)
{
    const struct headers *h = &f->response.head.headers;

    if (!f->request.follow_redirects || !is_redirect(f->response.head.status))
        return false;
    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, "location") == 0)
            return true;
    return false;
}

static void
change_method(struct curlew_fetch *f, int status)
{
    bool post = strcmp(f->method, "POST") == 0;
    bool head = strcmp(f->method, "HEAD") == 0;

    if ((status == 303 && !head) || ((status == 301 || status == 302) && post)) {
        f->method = "GET";
        f->sends_body = false;
    }
}

/* Another scheme is `blocked`, as by an egress rule: the caller's own URL was fine. */
static int
parse_location(struct curlew_fetch *f, struct url *next, const char *location)
{
    struct failure err = { 0 };

    if (url_parse(next, location, &err) == 0)
        return 0;
    if (strncasecmp(location, "http:", 5) != 0 && strncasecmp(location, "https:", 6) != 0)
        return failure_set(&f->failure, ERROR_BLOCKED,
                           "the origin redirects to \"%.80s\": schemes other than http and https "
                           "are refused everywhere",
                           location);
    return failure_set(&f->failure, err.error == ERROR_INTERNAL ? err.error : ERROR_PROTOCOL_ERROR,
                       "the origin redirects to a bad URL (%s)", err.detail);
}

enum redirect
redirect_next(struct curlew_fetch *f)
{
    int status = f->response.head.status;
    const char *location;
    struct url next;

    if (!f->request.follow_redirects || !is_redirect(status))
        return REDIRECT_NONE;
    if ((location = transfer_redirect_url(f)) == NULL)
        return REDIRECT_NONE;
    if (f->redirects >= f->request.max_redirects) {
        failure_set(&f->failure, ERROR_TOO_MANY_REDIRECTS, "more than %d redirects",
                    f->request.max_redirects);
        return REDIRECT_FAILED;
    }
    if (parse_location(f, &next, location) != 0)
        return REDIRECT_FAILED;
    if (egress_hooks_check_url(f, &next) != 0 || response_push_history(&f->response) != 0) {
        url_destroy(&next);
        failure_no_memory(&f->failure);
        return REDIRECT_FAILED;
    }
    f->redirects++;
    change_method(f, status);
    f->same_origin = f->same_origin && strcmp(f->url.origin, next.origin) == 0;
    url_destroy(&f->url);
    f->url = next;
    return REDIRECT_FOLLOW;
}
