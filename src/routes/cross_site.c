/* cross_site.c - requests that pages of other sites have a browser make (CSRF). */

#include "routes/cross_site.h"

#include "http/web_origin.h"
#include "message/field_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
cross_site_init(struct cross_site *c)
{
    *c = (struct cross_site){ 0 };
    pthread_rwlock_init(&c->lock, NULL);
}

void
cross_site_destroy(struct cross_site *c)
{
    field_json_texts_free(c->origins, c->count);
    pthread_rwlock_destroy(&c->lock);
}

void
cross_site_take(struct cross_site *c, struct cross_site *now)
{
    char **old;
    size_t old_count;

    pthread_rwlock_wrlock(&c->lock);
    old = c->origins;
    old_count = c->count;
    c->origins = now->origins;
    c->count = now->count;
    pthread_rwlock_unlock(&c->lock);
    field_json_texts_free(old, old_count);
    now->origins = NULL;
    now->count = 0;
}

int
cross_site_allow(struct cross_site *c, char *const *origins, size_t count, struct failure *err)
{
    char **now = calloc(count + 1, sizeof now[0]);

    for (size_t i = 0; now != NULL && i < count; i++)
        if ((now[i] = strdup(origins[i])) == NULL) {
            field_json_texts_free(now, i);
            now = NULL;
        }
    if (now == NULL)
        return failure_no_memory(err);
    cross_site_take(c, &(struct cross_site){ .origins = now, .count = count });
    return 0;
}

/* A header that web servers send empty is not there. */
static const char *
param(const struct exchange *x, const char *name)
{
    const char *value = exchange_param(x, name);

    return value != NULL && *value != '\0' ? value : NULL;
}

/* Known to be: without either parameter nobody knows. */
static bool
came_by_tls(const struct exchange *x)
{
    const char *https = param(x, "HTTPS"), *scheme = param(x, "REQUEST_SCHEME");

    return (https != NULL && strcasecmp(https, "off") != 0) ||
           (scheme != NULL && strcasecmp(scheme, "https") == 0);
}

static bool
allows(struct cross_site *c, const char *origin)
{
    bool allowed = false;

    pthread_rwlock_rdlock(&c->lock);
    for (size_t i = 0; i < c->count && !allowed; i++)
        allowed = web_origin_equal(c->origins[i], origin);
    pthread_rwlock_unlock(&c->lock);
    return allowed;
}

int
cross_site_check(struct cross_site *c, const struct exchange *x, struct failure *err)
{
    const char *site = param(x, "HTTP_SEC_FETCH_SITE"), *origin = param(x, "HTTP_ORIGIN");
    const char *host = param(x, "HTTP_HOST");

    if (site != NULL ? strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0
                     : origin == NULL ||
                           (host != NULL && web_origin_is_of_host(origin, host, came_by_tls(x))))
        return 0;
    if (origin != NULL && allows(c, origin))
        return 0;
    return failure_set(err, ERROR_FORBIDDEN,
                       "a page of another site asks (%s \"%.100s\"): list its origin in the "
                       "setting auth.origins to allow it",
                       origin != NULL ? "Origin" : "Sec-Fetch-Site",
                       origin != NULL ? origin : site);
}
