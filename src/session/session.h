/*
 * session.h - a named session: settings that never change, and the state that outlives them.
 *
 * A new configuration makes new sessions; a fetch in flight keeps the one it started with.  Cookies
 * and counters are the session's state, which the next session of the same name takes over.  Both
 * are counted by reference and safe to use from every thread.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "egress/egress_rule.h"
#include "session/body_account.h"
#include "session/cookie_jar.h"
#include "session/proxy_pool.h"
#include "session/session_config.h"
#include "util/metrics.h"

#define STATUS_CLASSES 6

struct session_state {
    atomic_int refs;
    uint64_t id; /* unique in the process; a name or an address may be used again */
    char *name;
    atomic_bool removed;    /* the newest configuration has no session with this state */
    struct cookie_jar *jar; /* used if the settings say so */
    counter in_flight;
    counter resets; /* idle connections from before the last reset must not be used */
    counter classes[STATUS_CLASSES]; /* complete responses with status 1xx … 5xx, or any other */
    counter outcomes[ERROR_COUNT];   /* fetches that ended with this error, or with none */
};

struct session {
    atomic_int refs;
    struct session_config settings;
    struct session_state *state;
    struct proxy_pool *proxy_pool; /* of settings.proxies */
    struct egress_rule_list hosts; /* of settings.hosts */
    bool at_run_time;              /* created by a caller, not by the configuration */
    struct body_account *account;  /* `bytes` are on it until the session is freed; or NULL */
    int64_t bytes;
};

/* The label of a class in session_state.classes: "2xx", …, "other". */
const char *session_status_class(int i);

struct session_state *session_state_ref(struct session_state *s);

/* The last reference frees; NULL is allowed. */
void session_state_unref(struct session_state *s);

/* With the state of `old`, or a new state for NULL.  NULL with `err`: no memory. */
struct session *session_new(const struct session_config *settings, const struct session *old,
                            struct failure *err);
struct session *session_ref(struct session *s);

/*
 * May what the session adds to a request go to this host?  A session without `hosts` doesn't tell:
 * true for any.
 */
bool session_has_host(const struct session *s, const char *host);

/* Has the operator named this proxy in the session, or let every proxy resolve names? */
bool session_lets_resolve(const struct session_config *s, const char *proxy);

/* Puts its bytes on the account, until it is freed. */
void session_set_account(struct session *s, struct body_account *account);

/* The last reference frees; NULL is allowed. */
void session_unref(struct session *s);

#endif
