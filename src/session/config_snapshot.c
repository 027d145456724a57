/* config_snapshot.c - the configuration that new fetches start under, as one immutable object. */

#include "session/config_snapshot.h"

#include <stdlib.h>
#include <string.h>

void
config_snapshot_unref(struct config_snapshot *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (size_t i = 0; i < p->session_count; i++)
        session_unref(p->sessions[i]);
    free(p->sessions);
    egress_unref(p->egress);
    body_account_unref(p->bodies);
    body_account_unref(p->session_account);
    cookie_jar_group_unref(p->jars);
    free(p);
}

struct config_snapshot *
config_snapshot_ref(struct config_snapshot *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

/* Without sessions and egress rules, with room for `room` sessions beside those of `old`. */
static struct config_snapshot *
alloc_snapshot(const struct limits *limits, size_t room, const struct config_snapshot *old,
               struct failure *err)
{
    struct config_snapshot *p = calloc(1, sizeof *p);

    if (p == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    p->refs = 1;
    p->limits = *limits;
    p->bodies = old != NULL ? body_account_ref(old->bodies) : body_account_new();
    p->session_account = old != NULL ? body_account_ref(old->session_account) : body_account_new();
    p->jars = old != NULL ? cookie_jar_group_ref(old->jars) : cookie_jar_group_new();
    p->sessions = calloc(room + (old != NULL ? old->session_count : 0), sizeof p->sessions[0]);
    if (p->bodies == NULL || p->session_account == NULL || p->jars == NULL || p->sessions == NULL) {
        config_snapshot_unref(p);
        failure_no_memory(err);
        return NULL;
    }
    return p;
}

/* NULL: unknown, or there is no snapshot. */
static struct session *
find(const struct config_snapshot *p, const char *name)
{
    return p != NULL ? config_snapshot_find_session(p, name) : NULL;
}

static void
add(struct config_snapshot *p, struct session *s)
{
    p->sessions[p->session_count++] = s;
}

/* Sessions that callers created stay, unless the configuration now has one of that name. */
static void
carry_over(struct config_snapshot *p, const struct config_snapshot *old)
{
    for (size_t i = 0; old != NULL && i < old->session_count; i++) {
        struct session *s = old->sessions[i];

        if (s->at_run_time && config_snapshot_find_session(p, s->settings.name) == NULL)
            add(p, session_ref(s));
    }
}

struct config_snapshot *
config_snapshot_new(const struct engine_config *settings, const struct config_snapshot *old,
                    struct failure *err)
{
    struct config_snapshot *p =
        alloc_snapshot(&settings->limits, settings->session_count, old, err);

    if (p == NULL)
        return NULL;
    if ((p->egress = egress_new(&settings->egress, err)) == NULL)
        goto failed;
    for (size_t i = 0; i < settings->session_count; i++) {
        struct session *s =
            session_new(&settings->sessions[i], find(old, settings->sessions[i].name), err);

        if (s == NULL)
            goto failed;
        session_set_account(s, p->session_account);
        cookie_jar_join(s->state->jar, p->jars);
        add(p, s);
    }
    p->log = settings->log;
    carry_over(p, old);
    return p;

failed:
    config_snapshot_unref(p);
    return NULL;
}

/* All of `old` but the session of this name. */
static struct config_snapshot *
copy_without(const struct config_snapshot *old, const char *name, struct failure *err)
{
    struct config_snapshot *p = alloc_snapshot(&old->limits, 1, old, err);

    if (p == NULL)
        return NULL;
    p->egress = egress_ref(old->egress);
    p->log = old->log;
    for (size_t i = 0; i < old->session_count; i++)
        if (strcmp(old->sessions[i]->settings.name, name) != 0)
            add(p, session_ref(old->sessions[i]));
    return p;
}

/* The one that it replaces is given back, as soon as no fetch holds it. */
static int
check_bytes(const struct config_snapshot *p, const struct session_config *put, struct failure *err)
{
    const struct session *replaced = config_snapshot_find_session(p, put->name);
    int64_t bytes = session_config_bytes(put);
    int64_t others = counter_read(&p->session_account->bytes);

    if (bytes > p->limits.session_bytes)
        return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                           "limits.session_bytes: the session takes %lld bytes, over %lld",
                           (long long)bytes, (long long)p->limits.session_bytes);
    if (replaced != NULL)
        others -= replaced->bytes;
    if (bytes > p->limits.sessions_bytes - others)
        return failure_set(err, ERROR_REQUEST_TOO_LARGE,
                           "limits.sessions_bytes: all sessions together would take over %lld "
                           "bytes; delete some",
                           (long long)p->limits.sessions_bytes);
    return 0;
}

struct config_snapshot *
config_snapshot_with_session(const struct config_snapshot *old, const struct session_config *put,
                             struct failure *err)
{
    struct session *s;
    struct config_snapshot *p;

    if (config_snapshot_find_session(old, put->name) == NULL &&
        old->session_count >= CONFIG_SNAPSHOT_SESSIONS_MAX) {
        failure_set(err, ERROR_OVERLOADED, "there are %d sessions already",
                    CONFIG_SNAPSHOT_SESSIONS_MAX);
        return NULL;
    }
    if (check_bytes(old, put, err) != 0 ||
        (s = session_new(put, find(old, put->name), err)) == NULL)
        return NULL;
    session_set_account(s, old->session_account);
    cookie_jar_join(s->state->jar, old->jars);
    s->at_run_time = true;
    if ((p = copy_without(old, put->name, err)) == NULL)
        session_unref(s);
    else
        add(p, s);
    return p;
}

struct config_snapshot *
config_snapshot_without_session(const struct config_snapshot *old, const char *name,
                                struct failure *err)
{
    if (config_snapshot_find_session(old, name) == NULL) {
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
config_snapshot_find_session(const struct config_snapshot *p, const char *name)
{
    for (size_t i = 0; i < p->session_count; i++)
        if (strcmp(p->sessions[i]->settings.name, name) == 0)
            return p->sessions[i];
    return NULL;
}
