/* redirect.c - following a redirect: which hop comes next, and how. */

#include "engine/redirect.h"

#include "http/location.h"
#include "transfer/egress_hooks.h"

#include <string.h>

static bool
is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where the response redirects to; NULL: nowhere.  One rule for what is held and for streams. */
static const char *
location_of(const struct curlew_fetch *f)
{
    const char *location;

    if (!f->request.follow_redirects || !is_redirect(f->response.head.status))
        return NULL;
    location = headers_get(&f->response.head.headers, "location");
    return location != NULL && !location_is_empty(location) ? location : NULL;
}

bool
redirect_follows(const struct curlew_fetch *f)
{
    return location_of(f) != NULL;
}

static bool
makes_get(const struct curlew_fetch *f, int status)
{
    bool post = strcmp(f->method, "POST") == 0;
    bool head = strcmp(f->method, "HEAD") == 0;

    return (status == 303 && !head) || ((status == 301 || status == 302) && post);
}

bool
redirect_try_keep_body(struct curlew_fetch *f)
{
    if (makes_get(f, f->response.head.status) || fetch_try_hold_body(f))
        return true;
    f->response.body_not_replayed = true;
    return false;
}

static void
change_method(struct curlew_fetch *f, int status)
{
    if (!makes_get(f, status))
        return;
    f->method = "GET";
    f->sends_body = false;
    if (f->upload != NULL)
        upload_pipe_discard(f->upload);
}

/* What it redirects to is not followed; the caller is told of the response. */
static enum redirect
fail(struct curlew_fetch *f)
{
    f->response.redirect_failed = true;
    return REDIRECT_FAILED;
}

enum redirect
redirect_next(struct curlew_fetch *f)
{
    const char *location = location_of(f);
    int status = f->response.head.status;
    struct url next;

    if (location == NULL || f->response.body_not_replayed)
        return REDIRECT_NONE;
    if (f->redirects >= f->request.max_redirects) {
        failure_set(&f->failure, ERROR_TOO_MANY_REDIRECTS, "more than %d redirects",
                    f->request.max_redirects);
        return fail(f);
    }
    if (location_resolve(&next, &f->url, location, &f->failure) != 0)
        return fail(f);
    if (egress_hooks_check_redirect(f, &next) != 0) {
        url_destroy(&next);
        return fail(f);
    }
    if (response_push_history(&f->response) != 0) {
        url_destroy(&next);
        failure_no_memory(&f->failure);
        return REDIRECT_FAILED;
    }
    f->redirects++;
    change_method(f, status);
    fetch_set_next_url(f, &next);
    return REDIRECT_FOLLOW;
}

void
redirect_tell_refused(struct curlew_fetch *f)
{
    if (f->failure.error != ERROR_BLOCKED || f->response.head.status != 0 ||
        f->response.history_count == 0)
        return;
    response_pop_history(&f->response);
    f->response.redirect_failed = true;
}
