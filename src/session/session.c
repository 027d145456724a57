/* session.c - named sessions: settings that never change, and a state that outlives them. */

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* -- the lasting part of a session --------------------------------------- */

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
state_of(const struct config_snapshot *old, const char *name)
{
    struct session *s = old != NULL ? config_snapshot_find_session(old, name) : NULL;

    if (s == NULL)
        return state_new(name);
    atomic_fetch_add(&s->state->refs, 1);
    return s->state;
}

/* -- sessions ------------------------------------------------------------ */

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
session_new(const struct session_config *settings, const struct config_snapshot *old,
            struct failure *err)
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
    if ((s->proxy_pool = proxy_pool_new(s->settings.proxies, s->settings.proxy_count)) == NULL) {
        failure_no_memory(err);
        session_unref(s);
        return NULL;
    }
    if ((s->state = state_of(old, settings->name)) == NULL) {
        failure_no_memory(err);
        session_unref(s);
        return NULL;
    }
    return s;
}
