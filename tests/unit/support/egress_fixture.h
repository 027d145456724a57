/*
 * egress_fixture.h - what the tests of the egress guard share: rules from words, addresses from
 * text.
 */
#ifndef SUPPORT_EGRESS_FIXTURE_H
#define SUPPORT_EGRESS_FIXTURE_H

#include "egress/egress.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static inline void
add_words(char ***list, size_t *count, const char *words)
{
    char *copy = strdup(words), *rest = copy, *word;

    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0')
            cr_assert_eq(egress_config_add(list, count, word), 0);
    free(copy);
}

/* A guard with the rules in two lists of words; the caller frees it. */
static inline struct egress *
guard_of(const char *allow, const char *deny)
{
    struct egress_config rules;
    struct failure err = { 0 };
    struct egress *e;

    egress_config_init(&rules);
    add_words(&rules.allow, &rules.allow_count, allow);
    add_words(&rules.deny, &rules.deny_count, deny);
    e = egress_new(&rules, &err);
    egress_config_destroy(&rules);
    cr_assert_not_null(e, "%s", err.detail);
    return e;
}

static inline bool
passes_as(const struct egress *e, const char *host, const char *text, struct failure *err)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(80) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(80) };

    *err = (struct failure){ 0 };
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return egress_allows_address(e, host, (struct sockaddr *)&four, err);
    cr_assert_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1, "%s", text);
    return egress_allows_address(e, host, (struct sockaddr *)&six, err);
}

/* The same without a host, and the failure checked: filled where refused, untouched where not. */
static inline bool
passes(const struct egress *e, const char *text)
{
    struct failure err;
    bool ok = passes_as(e, NULL, text, &err);

    cr_expect_eq(err.error, ok ? ERROR_NONE : ERROR_BLOCKED, "%s", text);
    cr_expect_eq(err.detail[0] == '\0', ok, "%s", text);
    return ok;
}

#endif
