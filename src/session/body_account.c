/* body_account.c - how many bytes of response bodies the fetches of one engine hold together. */

#include "session/body_account.h"

#include <stdlib.h>

struct body_account *
body_account_new(void)
{
    struct body_account *a = calloc(1, sizeof *a);

    if (a != NULL)
        a->refs = 1;
    return a;
}

struct body_account *
body_account_ref(struct body_account *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void
body_account_unref(struct body_account *a)
{
    if (a != NULL && atomic_fetch_sub(&a->refs, 1) == 1)
        free(a);
}

bool
body_account_try_add(struct body_account *a, int64_t n, int64_t max)
{
    if (atomic_fetch_add(&a->bytes, n) + n <= max)
        return true;
    counter_add(&a->bytes, -n);
    return false;
}

void
body_account_add(struct body_account *a, int64_t n)
{
    counter_add(&a->bytes, n);
}

void
body_account_subtract(struct body_account *a, int64_t n)
{
    counter_add(&a->bytes, -n);
}
