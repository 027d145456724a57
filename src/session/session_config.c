/* session_config.c - the settings of one session. */

#include "session/session_config.h"

#include "egress/egress_config.h"
#include "http/request_merge.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

/* -- a session's own keys ------------------------------------------------- */

static const char *const jars[] = { "none", "shared", NULL };

#define AT(member) offsetof(struct session_config, member)
#define COUNT_MAX  1000000
#define DAY        86400 /* seconds */
/* clang-format off */
static const struct field fields[] = {
    { "cookie_jar", FIELD_TWO_WAY, AT(shared_jar), 0, 0, jars, 0, 0 },
    { "trace_context", FIELD_BOOL, AT(trace_context), 0, 0, NULL, 1, 0 },
    { "proxies", SESSION_PROXIES, AT(proxies), 0, 0, NULL, 0, FIELD_SECRET },
    { "max_in_flight", FIELD_INT, AT(max_in_flight), 1, COUNT_MAX, NULL, 2048, 0 },
    { "max_per_origin", FIELD_INT, AT(max_per_origin), 1, COUNT_MAX, NULL, 1024, 0 },
    { "idle_connections", FIELD_INT, AT(idle_connections), 0, COUNT_MAX, NULL, 256, 0 },
    { "idle_seconds", FIELD_INT, AT(idle_seconds), 1, DAY, NULL, 60, 0 },
    { "rate_per_origin", FIELD_NUMBER, AT(rate_limit.rate), 0, COUNT_MAX, NULL, 0, FIELD_UNSET },
    { "burst", FIELD_INT, AT(rate_limit.burst), 1, COUNT_MAX, NULL, 1, 0 },
    { "breaker", SESSION_GROUP, AT(breaker), 0, 0, NULL, 0, 0 },
    { "breaker.failures", FIELD_INT, AT(breaker.failures), 1, COUNT_MAX, NULL, 0, FIELD_UNSET },
    { "breaker.open_seconds", FIELD_NUMBER, AT(breaker.open_seconds), 0, DAY, NULL, 0,
      FIELD_UNSET },
    { "ca_file", FIELD_PATH, AT(ca_file), 0, 0, NULL, 0, FIELD_UNSET },
    { "client_cert", FIELD_PATH, AT(client_cert), 0, 0, NULL, 0, FIELD_UNSET },
    { "client_key", FIELD_PATH, AT(client_key), 0, 0, NULL, 0, FIELD_UNSET | FIELD_SECRET },
};
/* clang-format on */

#define FIELDS (sizeof fields / sizeof fields[0])

const struct field *
session_config_field(size_t i)
{
    return i < FIELDS ? &fields[i] : NULL;
}

const struct field *
session_config_find(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* -- a session ------------------------------------------------------------ */

void
session_config_init(struct session_config *s)
{
    *s = (struct session_config){ 0 };
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind < FIELD_OTHER)
            field_init(s, &fields[i]);
    request_init(&s->defaults);
}

void
session_config_destroy(struct session_config *s)
{
    free(s->name);
    request_destroy(&s->defaults);
    for (size_t i = 0; i < s->proxy_count; i++)
        free(s->proxies[i]);
    free(s->proxies);
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind < FIELD_OTHER)
            field_destroy(s, &fields[i]);
    *s = (struct session_config){ 0 };
}

int
session_config_copy(struct session_config *to, const struct session_config *from,
                    struct failure *err)
{
    session_config_init(to);
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind < FIELD_OTHER && field_copy(to, from, &fields[i]) != 0)
            return failure_no_memory(err);
    for (size_t i = 0; i < from->proxy_count; i++)
        if (egress_config_add(&to->proxies, &to->proxy_count, from->proxies[i]) != 0)
            return failure_no_memory(err);
    if (text_replace(&to->name, from->name) != 0)
        return failure_no_memory(err);
    return request_merge_copy(&to->defaults, &from->defaults, err);
}
