/*
 * fuzz_auth.c - any bytes as a file of tokens, any as an Authorization field: who gets in is who a
 * second, slow reading of the file lets in.
 *
 * Up to the first byte 0xff: the file.  Then the field, another 0xff, the session.
 */

#include "fuzz_input.h"
#include "routes/auth.h"
#include "util/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- a second opinion ---------------------------------------------------- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of a line; its size, or 0 at the end. */
static size_t
next_word(const char **at, const char *end)
{
    size_t n = 0;

    while (*at < end && is_blank(**at))
        (*at)++;
    while (*at + n < end && !is_blank((*at)[n]))
        n++;
    return n;
}

static bool
word_is(const char *word, size_t n, const char *text)
{
    return strlen(text) == n && memcmp(word, text, n) == 0;
}

/* May the bearer of the token use the session, by this one line of the file? */
static int
line_says(const char *at, const char *end, const char *token, const char *session)
{
    size_t n = next_word(&at, end);
    bool any = true;

    if (n == 0 || *at == '#' || !word_is(at, n, token))
        return -1;
    at += n;
    while ((n = next_word(&at, end)) > 0) {
        if (session == NULL || word_is(at, n, session))
            return 1;
        any = false;
        at += n;
    }
    return session == NULL || any;
}

/* -1: the token is unknown.  In a file that can be loaded no token stands twice, and no NUL. */
static int
file_says(const char *file, size_t size, const char *token, const char *session)
{
    int says = -1;

    for (size_t at = 0, n; at < size; at += n + 1) {
        const char *line = file + at;
        const char *end = memchr(line, '\n', size - at);
        int now;

        n = end != NULL ? (size_t)(end - line) : size - at;
        now = line_says(line, line + n, token, session);
        says = now >= 0 ? now : says;
    }
    return says;
}

static const char *
token_of(const char *authorization)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    while (*authorization == ' ')
        authorization++;
    return authorization;
}

/* -- the auth ------------------------------------------------------------ */

static int
load(struct auth *a, const char *file, size_t size, struct failure *err)
{
    int fd = memfd_create("tokens", MFD_CLOEXEC), rc;
    char path[40];

    if (write(fd, file, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rc = auth_load(a, path, err);
    close(fd);
    return rc;
}

static void
ask(struct auth *a, const char *file, size_t size, const char *field, const char *session)
{
    const char *token = token_of(field);
    int wanted = token != NULL ? file_says(file, size, token, session) : -1;
    struct failure err = { 0 };
    bool in = auth_check(a, field, session, &err) == 0;

    check_holds(in == (wanted == 1), "who gets in");
    check_holds(in || err.error == (wanted < 0 ? ERROR_UNAUTHORIZED : ERROR_UNKNOWN_SESSION),
                "why not");
    check_holds(utf8_valid(err.detail, strlen(err.detail)), "a reason that can be read");
}

/* Each token of the file opens, and a byte more or less does not. */
static void
ask_each(struct auth *a, const char *file, size_t size)
{
    for (size_t i = 0; i < a->count; i++) {
        char field[5000];
        int n = snprintf(field, sizeof field, "bearer  %s", a->tokens[i].token);

        if (n < 0 || (size_t)n >= sizeof field - 2)
            continue;
        ask(a, file, size, field, NULL);
        ask(a, file, size, field, "default");
        strcat(field, "x");
        ask(a, file, size, field, NULL);
        field[n - 1] = '\0';
        ask(a, file, size, field, NULL);
    }
}

/* A field or a session: up to 0xff, and a string. */
static char *
take(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0xff, *size);
    size_t n = end != NULL ? (size_t)(end - *data) : *size;
    char *text = strndup((const char *)*data, n);

    n += end != NULL;
    *data += n;
    *size -= n;
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char old[] = "the-token-of-before";
    const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t n = end != NULL ? (size_t)(end - data) : size;
    char *file = malloc(n + 1), *field, *session;
    struct failure err = { 0 };
    struct auth a;

    memcpy(file, data, n);
    data += n + (end != NULL);
    size -= n + (end != NULL);
    field = take(&data, &size);
    session = take(&data, &size);
    auth_init(&a);
    check_holds(load(&a, old, sizeof old - 1, &err) == 0, "a good file");
    if (load(&a, file, n, &err) == 0) {
        ask_each(&a, file, n);
        ask(&a, file, n, field, session);
        ask(&a, file, n, field, NULL);
    } else {
        check_holds(err.error == ERROR_BAD_REQUEST && utf8_valid(err.detail, strlen(err.detail)),
                    "why");
        ask(&a, old, sizeof old - 1, "Bearer the-token-of-before", session);
        ask(&a, old, sizeof old - 1, field, NULL);
    }
    auth_destroy(&a);
    free(file);
    free(field);
    free(session);
    return 0;
}
