/* error.c - everything that can go wrong with a request, named once. */

#include "util/error.h"

static const struct {
    int status;
    const char *code, *title;
} table[ERROR_COUNT] = {
#define X(name, status, code, title) [ERROR_##name] = { status, code, title },
    ERROR_TABLE(X)
#undef X
};

int
error_status(enum error e)
{
    return table[e].status;
}

const char *
error_code(enum error e)
{
    return table[e].code;
}

const char *
error_title(enum error e)
{
    return table[e].title;
}

int
error_retry_after(enum error e)
{
    switch (e) {
    case ERROR_OVERLOADED:
    case ERROR_ORIGIN_UNAVAILABLE:
        return 1;
    case ERROR_DRAINING:
        return 2; /* long enough for a successor to listen */
    default:
        return 0;
    }
}
