/* auth.c - bearer tokens, and the sessions each may use. */

#include "routes/auth.h"

#include "util/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"

void
auth_init(struct auth *a)
{
    pthread_rwlockattr_t kind;

    *a = (struct auth){ 0 };
    pthread_rwlockattr_init(&kind);
/* glibc prefers readers by default: a steady load of checks would starve a reload. */
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&a->lock, &kind);
    pthread_rwlockattr_destroy(&kind);
}

static void
free_tokens(struct auth_token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < tokens[i].session_count; j++)
            free(tokens[i].sessions[j]);
        free(tokens[i].sessions);
        free(tokens[i].token);
    }
    free(tokens);
}

void
auth_destroy(struct auth *a)
{
    free_tokens(a->tokens, a->count);
    pthread_rwlock_destroy(&a->lock);
}

/* Every token is compared: how long it takes does not tell which one it is. */
static const struct auth_token *
find(const struct auth *a, const char *given)
{
    const struct auth_token *found = NULL;
    size_t n = strlen(given);

    for (size_t i = 0; i < a->count; i++)
        if (secret_equal(a->tokens[i].token, a->tokens[i].size, given, n))
            found = &a->tokens[i];
    return found;
}

/* -- the file ------------------------------------------------------------ */

static int
add_session(struct auth_token *t, const char *name)
{
    char **list = realloc(t->sessions, (t->session_count + 1) * sizeof list[0]);

    if (list == NULL)
        return -1;
    t->sessions = list;
    if ((list[t->session_count] = strdup(name)) == NULL)
        return -1;
    t->session_count++;
    return 0;
}

/* Printable ASCII.  A header can hold more, but an editor's byte order mark is no part of it. */
static bool
is_printable(const char *token)
{
    for (; *token != '\0'; token++)
        if (*token <= ' ' || *token > '~')
            return false;
    return true;
}

_Static_assert(AUTH_TOKEN_MIN == 16, "find_fault() says so");

/* What is wrong with it; NULL: nothing. */
static const char *
find_fault(const struct auth *into, const char *token)
{
    if (!is_printable(token))
        return "a token is printable ASCII, and so is what stands before it";
    if (strlen(token) < AUTH_TOKEN_MIN)
        return "a token has at least 16 characters";
    return find(into, token) != NULL ? "this token stands on an earlier line, too" : NULL;
}

/*
 * One line of n bytes; 0 also for a line without a token.  A NUL would hide the sessions that
 * follow it, and leave the token one for all of them.
 */
static int
read_line(struct auth *into, char *line, size_t n, int number, const char *path,
          struct failure *err)
{
    const char *fault = strlen(line) < n ? "contains a NUL" : NULL;
    char *rest, *word = strtok_r(line, BLANKS, &rest);
    struct auth_token *list, *t;

    if (fault == NULL && (word == NULL || *word == '#'))
        return 0;
    if (fault != NULL || (fault = find_fault(into, word)) != NULL)
        return failure_set(err, ERROR_BAD_REQUEST, "auth.tokens_file %s: line %d: %s", path, number,
                           fault);
    list = realloc(into->tokens, (into->count + 1) * sizeof list[0]);
    if (list == NULL)
        return failure_no_memory(err);
    into->tokens = list;
    t = &list[into->count];
    *t = (struct auth_token){ .token = strdup(word), .size = strlen(word) };
    if (t->token == NULL)
        return failure_no_memory(err);
    into->count++;
    while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL)
        if (add_session(t, word) != 0)
            return failure_no_memory(err);
    return 0;
}

static int
read_file(struct auth *into, const char *path, struct failure *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int number = 0, rc = 0;

    if (file == NULL)
        return failure_set(err, ERROR_BAD_REQUEST, "auth.tokens_file %s: %s", path,
                           strerror(errno));
    while (rc == 0 && (n = getline(&line, &size, file)) >= 0)
        rc = read_line(into, line, (size_t)n, ++number, path, err);
    if (rc == 0 && !feof(file)) /* rather than go on with the tokens read so far */
        rc = failure_set(err, ERROR_INTERNAL, "auth.tokens_file %s: %s", path, strerror(errno));
    free(line);
    fclose(file);
    if (rc == 0 && into->count == 0)
        rc = failure_set(err, ERROR_BAD_REQUEST, "auth.tokens_file %s: no token in it", path);
    return rc;
}

/* A token keeps its number as long as it stands in the file. */
static void
number_tokens(struct auth *a, struct auth *now)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct auth_token *before = find(a, now->tokens[i].token);

        now->tokens[i].number = before != NULL ? before->number : ++a->last_number;
    }
}

void
auth_take(struct auth *a, struct auth *now)
{
    struct auth old;

    pthread_rwlock_wrlock(&a->lock);
    number_tokens(a, now);
    old = *a;
    a->required = now->required;
    a->tokens = now->tokens;
    a->count = now->count;
    pthread_rwlock_unlock(&a->lock);
    free_tokens(old.tokens, old.count);
    now->tokens = NULL;
    now->count = 0;
}

int
auth_load(struct auth *a, const char *path, struct failure *err)
{
    struct auth now = { .required = path != NULL };

    if (path != NULL && read_file(&now, path, err) != 0) {
        free_tokens(now.tokens, now.count);
        return -1;
    }
    auth_take(a, &now);
    return 0;
}

/* -- the check ----------------------------------------------------------- */

static const struct auth_token *
find_number(const struct auth *a, uint64_t number)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->tokens[i].number == number)
            return &a->tokens[i];
    return NULL;
}

static bool
may_use(const struct auth_token *t, const char *session)
{
    if (session == NULL || t->session_count == 0)
        return true;
    for (size_t i = 0; i < t->session_count; i++)
        if (strcmp(t->sessions[i], session) == 0)
            return true;
    return false;
}

static int
identify(const struct auth *a, const char *authorization, uint64_t *number, struct failure *err)
{
    const struct auth_token *t;

    *number = AUTH_NOBODY;
    if (!a->required)
        return 0;
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
        return failure_set(err, ERROR_UNAUTHORIZED, "no bearer token in Authorization");
    authorization += 7 + strspn(authorization + 7, " ");
    if ((t = find(a, authorization)) == NULL)
        return failure_set(err, ERROR_UNAUTHORIZED, "the bearer token is unknown");
    *number = t->number;
    return 0;
}

static int
check(const struct auth *a, uint64_t number, const char *session, struct failure *err)
{
    const struct auth_token *t;

    if (!a->required)
        return 0;
    if ((t = find_number(a, number)) == NULL)
        return failure_set(err, ERROR_UNAUTHORIZED,
                           "the bearer token is not known any more, or there was none");
    if (!may_use(t, session))
        return failure_set(err, ERROR_UNKNOWN_SESSION, "session: there is no \"%.64s\"", session);
    return 0;
}

int
auth_check(struct auth *a, const char *authorization, const char *session, struct failure *err)
{
    uint64_t number;
    int rc;

    pthread_rwlock_rdlock(&a->lock);
    rc = identify(a, authorization, &number, err);
    if (rc == 0)
        rc = check(a, number, session, err);
    pthread_rwlock_unlock(&a->lock);
    return rc;
}

int
auth_identify(struct auth *a, const char *authorization, uint64_t *number, struct failure *err)
{
    int rc;

    pthread_rwlock_rdlock(&a->lock);
    rc = identify(a, authorization, number, err);
    pthread_rwlock_unlock(&a->lock);
    return rc;
}

int
auth_check_number(struct auth *a, uint64_t number, const char *session, struct failure *err)
{
    int rc;

    pthread_rwlock_rdlock(&a->lock);
    rc = check(a, number, session, err);
    pthread_rwlock_unlock(&a->lock);
    return rc;
}

bool
auth_requires_token(struct auth *a)
{
    bool required;

    pthread_rwlock_rdlock(&a->lock);
    required = a->required;
    pthread_rwlock_unlock(&a->lock);
    return required;
}

bool
auth_limits(struct auth *a, uint64_t number)
{
    const struct auth_token *t;
    bool limited;

    pthread_rwlock_rdlock(&a->lock);
    t = find_number(a, number);
    limited = a->required && (t == NULL || t->session_count > 0);
    pthread_rwlock_unlock(&a->lock);
    return limited;
}

bool
auth_allows(struct auth *a, uint64_t number, const char *session)
{
    const struct auth_token *t;
    bool allowed;

    pthread_rwlock_rdlock(&a->lock);
    t = find_number(a, number);
    allowed = !a->required || (t != NULL && may_use(t, session));
    pthread_rwlock_unlock(&a->lock);
    return allowed;
}
