/* session_ceiling.c - how far a token limited to certain sessions may change one of them. */

#include "session/session_ceiling.h"

#include <string.h>

/* An enum's value counts as its number. */
static bool
is_int(const struct field *f)
{
    return f->kind == FIELD_INT || f->kind == FIELD_CHOICE;
}

static double
value_of(const struct session_config *s, const struct field *f)
{
    const char *member = (const char *)s + f->at;

    return is_int(f) ? *(const int *)member : *(const double *)member;
}

static void
set_value(struct session_config *s, const struct field *f, double value)
{
    char *member = (char *)s + f->at;

    if (is_int(f))
        *(int *)member = (int)value;
    else
        *(double *)member = value;
}

static bool
has_ceiling(const struct field *f)
{
    return (f->flags & (SESSION_AT_MOST | SESSION_AT_LEAST)) != 0;
}

/* What an operator has allowed; without one, the defaults. */
static void
inherit(struct session_config *s, const struct session_config *old)
{
    struct session_config defaults;
    const struct field *f;

    if (old != NULL && old->by_limited_token) {
        memcpy(s->ceiling, old->ceiling, sizeof s->ceiling);
        return;
    }
    session_config_init(&defaults);
    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (has_ceiling(f))
            s->ceiling[i] = value_of(old != NULL ? old : &defaults, f);
    session_config_destroy(&defaults);
}

/* 0 means "none" where the field may be unset; a burst means nothing without a rate. */
static bool
is_bounded(const struct session_config *s, size_t i)
{
    const struct field *f = session_config_field(i), *rate;

    if (!has_ceiling(f))
        return false;
    if (f->at != offsetof(struct session_config, rate_limit.burst))
        return (f->flags & FIELD_UNSET) == 0 || s->ceiling[i] != 0;
    for (i = 0; (rate = session_config_field(i)) != NULL; i++)
        if (rate->at == offsetof(struct session_config, rate_limit.rate))
            return s->ceiling[i] != 0;
    return false;
}

static int
check(const struct session_config *s, size_t i, struct failure *err)
{
    const struct field *f = session_config_field(i);
    double value = value_of(s, f), ceiling = s->ceiling[i];

    if ((f->flags & SESSION_AT_MOST) != 0 && value > ceiling)
        return failure_set(err, ERROR_FORBIDDEN, "%s: with this token at most %.15g", f->name,
                           ceiling);
    if (f->kind == FIELD_CHOICE && value < ceiling)
        return failure_set(err, ERROR_FORBIDDEN, "%s: with this token at least %s", f->name,
                           f->words[(int)ceiling]);
    if ((f->flags & SESSION_AT_LEAST) != 0 && value < ceiling)
        return failure_set(err, ERROR_FORBIDDEN, "%s: with this token at least %.15g", f->name,
                           ceiling);
    return 0;
}

int
session_ceiling_apply(struct session_config *s, const struct session_config *old, uint64_t given,
                      struct failure *err)
{
    const struct field *f;

    inherit(s, old);
    s->by_limited_token = true;
    s->made_by_limited_token = old == NULL || old->made_by_limited_token;
    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++) {
        if (!is_bounded(s, i))
            continue;
        if ((given >> i & 1) == 0)
            set_value(s, f, s->ceiling[i]);
        else if (check(s, i, err) != 0)
            return -1;
    }
    return 0;
}
