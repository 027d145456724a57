/*
 * auth.h - bearer tokens, and the sessions each may use.
 *
 * The file has one token on each line, followed by the names of the sessions
 * it may use, or by none for all.  Blank lines and lines that begin with # are skipped.
 * Thread-safe.
 */
#ifndef ROUTES_AUTH_H
#define ROUTES_AUTH_H

#include "util/failure.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTH_TOKEN_MIN 16 /* characters: shorter ones can be guessed */

/* The number of no token: who asked while none was required. */
#define AUTH_NOBODY 0

struct auth_token {
    char *token;
    size_t size;     /* strlen() of it */
    uint64_t number; /* the token's own, also after reloads */
    char **sessions;
    size_t session_count; /* 0: every session */
};

struct auth {
    pthread_rwlock_t lock;
    int required; /* a tokens file is configured */
    struct auth_token *tokens;
    size_t count;
    uint64_t last_number;
};

/* No token is required. */
void auth_init(struct auth *a);

void auth_destroy(struct auth *a);

/* Read the tokens again; NULL: none are required.  -1 with `err`: the old ones stay. */
int auth_load(struct auth *a, const char *path, struct failure *err);

/* The tokens of `now` in the place of a's; `now` has none then. */
void auth_take(struct auth *a, struct auth *now);

/* Is a tokens file configured? */
bool auth_requires_token(struct auth *a);

/*
 * May the bearer of this Authorization field (or NULL) use the session (NULL: no session is used)?
 * 0; -1 with `err`: unauthorized, or unknown_session, so that nobody learns of sessions of others.
 */
int auth_check(struct auth *a, const char *authorization, const char *session, struct failure *err);

/*
 * The number of this Authorization field's token, by which the token can be judged later;
 * AUTH_NOBODY where none is required.  0; -1 with `err`: unauthorized.
 */
int auth_identify(struct auth *a, const char *authorization, uint64_t *number, struct failure *err);

/* auth_check() for the token of this number, as the file is now: it may have been removed. */
int auth_check_number(struct auth *a, uint64_t number, const char *session, struct failure *err);

/* May it use the session? */
bool auth_allows(struct auth *a, uint64_t number, const char *session);

/* Is it for certain sessions only?  One that was removed is for none. */
bool auth_limits(struct auth *a, uint64_t number);

#endif
