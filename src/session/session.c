/* session.c - a named session: settings that never change, and the state that outlives them. */

#include "session/session.h"

#include "util/text.h"

#include <stdlib.h>
#include <string.h>

/* -- the state ----------------------------------------------------------- */

const char *
session_status_class(int i)
{
    static const char *const names[STATUS_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx", "other" };

    return names[i];
}

void
session_state_unref(struct session_state *s)
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
        session_state_unref(s);
        return NULL;
    }
    return s;
}

struct session_state *
session_state_ref(struct session_state *s)
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
    if (s->account != NULL)
        body_account_subtract(s->account, s->bytes);
    body_account_unref(s->account);
    proxy_pool_free(s->proxy_pool);
    egress_rule_list_destroy(&s->hosts);
    session_config_destroy(&s->settings);
    session_state_unref(s->state);
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
    if (session_config_copy(&s->settings, settings, err) != 0 ||
        egress_rule_list_init(&s->hosts, settings->hosts, settings->host_count, "hosts", err) !=
            0) {
        session_unref(s);
        return NULL;
    }
    s->proxy_pool = proxy_pool_new(s->settings.proxies, s->settings.proxy_count);
    s->state = old != NULL ? session_state_ref(old->state) : state_new(settings->name);
    if (s->proxy_pool == NULL || s->state == NULL) {
        failure_no_memory(err);
        session_unref(s);
        return NULL;
    }
    return s;
}

bool
session_has_host(const struct session *s, const char *host)
{
    return s->settings.host_count == 0 || egress_rule_list_has(&s->hosts, host);
}

bool
session_lets_resolve(const struct session_config *s, const char *proxy)
{
    bool named = text_equal(proxy, s->defaults.proxy);

    for (size_t i = 0; i < s->proxy_count; i++)
        named = named || text_equal(proxy, s->proxies[i]);
    return s->proxy_resolves || (named && !s->proxies_by_limited);
}

void
session_set_account(struct session *s, struct body_account *account)
{
    s->account = body_account_ref(account);
    s->bytes = session_config_bytes(&s->settings);
    counter_add(&account->bytes, s->bytes);
}
