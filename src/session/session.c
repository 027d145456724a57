/* session.c - named sessions, and the policy: everything a fetch is started under. */

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* -- the lasting part of a session --------------------------------------- */

static void
state_unref(struct session_state *s)
{
    if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    jar_free(s->jar);
    free(s->name);
    free(s);
}

static struct session_state *
state_new(const char *name)
{
    struct session_state *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->refs = 1;
    s->name = strdup(name);
    s->jar = jar_new();
    if (s->name == NULL || s->jar == NULL) {
        state_unref(s);
        return NULL;
    }
    return s;
}

static struct session_state *
state_of(const struct policy *old, const char *name)
{
    struct session *s = old != NULL ? policy_session(old, name) : NULL;

    if (s == NULL)
        return state_new(name);
    atomic_fetch_add(&s->state->refs, 1);
    return s->state;
}

/* -- sessions ------------------------------------------------------------ */

static void
session_free(struct session *s)
{
    if (s == NULL)
        return;
    session_settings_destroy(&s->settings);
    state_unref(s->state);
    free(s);
}

static int
copy_path(char **to, const char *from)
{
    return from != NULL && (*to = strdup(from)) == NULL ? -1 : 0;
}

static int
copy_settings(struct session_settings *to, const struct session_settings *from, struct failure *why)
{
    session_settings_init(to);
    to->shared_jar = from->shared_jar;
    to->max_in_flight = from->max_in_flight;
    to->max_per_origin = from->max_per_origin;
    to->idle_connections = from->idle_connections;
    to->idle_seconds = from->idle_seconds;
    if (copy_path(&to->name, from->name) || copy_path(&to->ca_file, from->ca_file) ||
        copy_path(&to->client_cert, from->client_cert) ||
        copy_path(&to->client_key, from->client_key))
        return failure_set(why, ERROR_INTERNAL, "out of memory");
    return request_copy(&to->defaults, &from->defaults, why);
}

static struct session *
session_new(const struct session_settings *settings, const struct policy *old, struct failure *why)
{
    struct session *s = calloc(1, sizeof *s);

    if (s == NULL) {
        failure_set(why, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    if (copy_settings(&s->settings, settings, why) != 0) {
        session_free(s);
        return NULL;
    }
    if ((s->state = state_of(old, settings->name)) == NULL) {
        failure_set(why, ERROR_INTERNAL, "out of memory");
        session_free(s);
        return NULL;
    }
    return s;
}

/* -- the policy ---------------------------------------------------------- */

void
policy_unref(struct policy *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (size_t i = 0; i < p->session_count; i++)
        session_free(p->sessions[i]);
    free(p->sessions);
    egress_free(p->egress);
    free(p);
}

struct policy *
policy_ref(struct policy *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

struct policy *
policy_new(const struct engine_settings *settings, const struct policy *old, struct failure *why)
{
    struct policy *p = calloc(1, sizeof *p);

    if (p == NULL) {
        failure_set(why, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    p->refs = 1;
    p->limits = settings->limits;
    if ((p->egress = egress_new(&settings->egress, why)) == NULL)
        goto failed;
    p->sessions = calloc(settings->session_count, sizeof p->sessions[0]);
    if (p->sessions == NULL) {
        failure_set(why, ERROR_INTERNAL, "out of memory");
        goto failed;
    }
    for (size_t i = 0; i < settings->session_count; i++) {
        struct session *s = session_new(&settings->sessions[i], old, why);

        if (s == NULL)
            goto failed;
        p->sessions[p->session_count++] = s;
    }
    return p;

failed:
    policy_unref(p);
    return NULL;
}

struct session *
policy_session(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->session_count; i++)
        if (strcmp(p->sessions[i]->settings.name, name) == 0)
            return p->sessions[i];
    return NULL;
}
