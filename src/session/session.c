/* session.c - a named session: settings that never change, and the state that outlives them. */

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* -- the state ----------------------------------------------------------- */

static void
state_unref(struct session_state *s)
{
    if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    cookie_jar_free(s->jar);
    free(s->name);
    free(s);
}

static struct session_state *
state_new(const char *name)
{
    static _Atomic uint64_t last_id;
    struct session_state *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->refs = 1;
    s->id = ++last_id;
    s->name = strdup(name);
    s->jar = cookie_jar_new();
    if (s->name == NULL || s->jar == NULL) {
        state_unref(s);
        return NULL;
    }
    return s;
}

static struct session_state *
state_ref(struct session_state *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

/* -- the session --------------------------------------------------------- */

struct session *
session_ref(struct session *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void
session_unref(struct session *s)
{
    if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    proxy_pool_free(s->proxy_pool);
    session_config_destroy(&s->settings);
    state_unref(s->state);
    free(s);
}

struct session *
session_new(const struct session_config *settings, const struct session *old, struct failure *err)
{
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    s->refs = 1;
    if (session_config_copy(&s->settings, settings, err) != 0) {
        session_unref(s);
        return NULL;
    }
    s->proxy_pool = proxy_pool_new(s->settings.proxies, s->settings.proxy_count);
    s->state = old != NULL ? state_ref(old->state) : state_new(settings->name);
    if (s->proxy_pool == NULL || s->state == NULL) {
        failure_no_memory(err);
        session_unref(s);
        return NULL;
    }
    return s;
}
