/* policy.c - the policy: everything that new fetches are started under, as one unchanging whole. */

#include "session/session.h"

#include <stdlib.h>
#include <string.h>

void
policy_unref(struct policy *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (size_t i = 0; i < p->session_count; i++)
        session_unref(p->sessions[i]);
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

/* An empty one with room for so many sessions. */
static struct policy *
policy_alloc(const struct limits *limits, size_t room, struct failure *err)
{
    struct policy *p = calloc(1, sizeof *p);

    if (p == NULL || (p->sessions = calloc(room, sizeof p->sessions[0])) == NULL) {
        free(p);
        failure_no_memory(err);
        return NULL;
    }
    p->refs = 1;
    p->limits = *limits;
    return p;
}

static void
add(struct policy *p, struct session *s)
{
    p->sessions[p->session_count++] = s;
}

/* What callers made at run time stays, but for names that the configuration has now. */
static void
carry_over(struct policy *p, const struct policy *old)
{
    for (size_t i = 0; old != NULL && i < old->session_count; i++) {
        struct session *s = old->sessions[i];

        if (s->at_run_time && policy_session(p, s->settings.name) == NULL)
            add(p, session_ref(s));
    }
}

struct policy *
policy_new(const struct engine_settings *settings, const struct policy *old, struct failure *err)
{
    size_t room = settings->session_count + (old != NULL ? old->session_count : 0);
    struct policy *p = policy_alloc(&settings->limits, room, err);

    if (p == NULL)
        return NULL;
    if ((p->egress = egress_new(&settings->egress, err)) == NULL)
        goto failed;
    for (size_t i = 0; i < settings->session_count; i++) {
        struct session *s = session_new(&settings->sessions[i], old, err);

        if (s == NULL)
            goto failed;
        add(p, s);
    }
    carry_over(p, old);
    return p;

failed:
    policy_unref(p);
    return NULL;
}

/* All of `old` but the session of this name. */
static struct policy *
copy_without(const struct policy *old, const char *name, struct failure *err)
{
    struct policy *p = policy_alloc(&old->limits, old->session_count + 1, err);

    if (p == NULL)
        return NULL;
    p->egress = egress_ref(old->egress);
    for (size_t i = 0; i < old->session_count; i++)
        if (strcmp(old->sessions[i]->settings.name, name) != 0)
            add(p, session_ref(old->sessions[i]));
    return p;
}

struct policy *
policy_with(const struct policy *old, const struct session_settings *put, struct failure *err)
{
    struct session *s;
    struct policy *p;

    if (policy_session(old, put->name) == NULL && old->session_count >= POLICY_SESSIONS_MAX) {
        failure_set(err, ERROR_OVERLOADED, "there are %d sessions already", POLICY_SESSIONS_MAX);
        return NULL;
    }
    if ((s = session_new(put, old, err)) == NULL)
        return NULL;
    s->at_run_time = true;
    if ((p = copy_without(old, put->name, err)) == NULL)
        session_unref(s);
    else
        add(p, s);
    return p;
}

struct policy *
policy_without(const struct policy *old, const char *name, struct failure *err)
{
    if (policy_session(old, name) == NULL) {
        failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", name);
        return NULL;
    }
    if (strcmp(name, "default") == 0) {
        failure_set(err, ERROR_BAD_REQUEST,
                    "session: \"default\" cannot be removed, only replaced");
        return NULL;
    }
    return copy_without(old, name, err);
}

struct session *
policy_session(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->session_count; i++)
        if (strcmp(p->sessions[i]->settings.name, name) == 0)
            return p->sessions[i];
    return NULL;
}
