/*
 * auth.h - bearer tokens, and the sessions each may use.
 *
 * The file has one token on each line, followed by the names of the sessions
 * it may use, or by none for all.  Blank lines and lines that begin with # are skipped.
 */
#ifndef ROUTES_AUTH_H
#define ROUTES_AUTH_H

#include "util/failure.h"

#include <pthread.h>
#include <stddef.h>

#define AUTH_TOKEN_MIN 16 /* characters: shorter ones can be guessed */

struct auth_token {
    char *token;
    char **sessions;
    size_t session_count; /* 0: every session */
};

struct auth {
    pthread_rwlock_t lock;
    int required; /* a tokens file is configured */
    struct auth_token *tokens;
    size_t count;
};

/* No token is required. */
void auth_init(struct auth *a);

void auth_destroy(struct auth *a);

/* Read the tokens again; NULL: none are required.  -1 with `err`: the old ones stay. */
int auth_load(struct auth *a, const char *path, struct failure *err);

/*
 * May the bearer of this Authorization field (or NULL) use the session (NULL: no session is used)?
 * 0; -1 with `err`: unauthorized, or unknown_session, so that nobody learns of sessions of others.
 */
int auth_check(struct auth *a, const char *authorization, const char *session, struct failure *err);

#endif
