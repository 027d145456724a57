/* session_config.c - the settings of one session. */

#include "session/session_config.h"

#include "egress/egress_config.h"
#include "http/request_merge.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

/* -- a session's own keys ------------------------------------------------- */

static const char *const jars[] = { "none", "shared", NULL };
static const char *const tls_versions[] = { "auto", "1.0", "1.1", "1.2", "1.3", NULL };

#define AT(member) offsetof(struct session_config, member)
#define COUNT_MAX  1000000
#define DAY        86400 /* seconds */
/* clang-format off */
static const struct field fields[] = {
    { "cookie_jar", FIELD_TWO_WAY, AT(shared_jar), 0, 0, jars, 0, 0 },
    { "isolate", FIELD_BOOL, AT(isolate), 0, 0, NULL, 0, 0 },
    { "trace_context", FIELD_BOOL, AT(trace_context), 0, 0, NULL, 1, 0 },
    { "proxies", SESSION_PROXIES, AT(proxies), 0, 0, NULL, 0, FIELD_SECRET },
    { "proxy_resolves", FIELD_BOOL, AT(proxy_resolves), 0, 0, NULL, 0, 0 },
    { "hosts", SESSION_HOSTS, AT(hosts), 0, 0, NULL, 0, 0 },
    { "max_in_flight", FIELD_INT, AT(max_in_flight), 1, COUNT_MAX, NULL, 2048, SESSION_AT_MOST },
    { "max_per_origin", FIELD_INT, AT(max_per_origin), 1, COUNT_MAX, NULL, 1024,
      SESSION_AT_MOST },
    { "idle_connections", FIELD_INT, AT(idle_connections), 0, COUNT_MAX, NULL, 256,
      SESSION_AT_MOST },
    { "idle_seconds", FIELD_INT, AT(idle_seconds), 1, DAY, NULL, 60, SESSION_AT_MOST },
    { "rate_per_origin", FIELD_NUMBER, AT(rate_limit.rate), 0, COUNT_MAX, NULL, 0,
      FIELD_UNSET | SESSION_AT_MOST },
    { "burst", FIELD_INT, AT(rate_limit.burst), 1, COUNT_MAX, NULL, 1, SESSION_AT_MOST },
    { "breaker", SESSION_GROUP, AT(breaker), 0, 0, NULL, 0, 0 },
    { "breaker.failures", FIELD_INT, AT(breaker.failures), 1, COUNT_MAX, NULL, 0,
      FIELD_UNSET | SESSION_AT_MOST },
    { "breaker.open_seconds", FIELD_NUMBER, AT(breaker.open_seconds), 0, DAY, NULL, 0,
      FIELD_UNSET | SESSION_AT_LEAST },
    { "ca_file", FIELD_PATH, AT(ca_file), 0, 0, NULL, 0, FIELD_UNSET | SESSION_CONFIGURED },
    { "client_cert", FIELD_PATH, AT(client_cert), 0, 0, NULL, 0,
      FIELD_UNSET | SESSION_CONFIGURED },
    { "client_key", FIELD_PATH, AT(client_key), 0, 0, NULL, 0,
      FIELD_UNSET | FIELD_SECRET | SESSION_CONFIGURED },
    { "tls_min", FIELD_CHOICE, AT(tls_min), 0, 0, tls_versions, 0,
      FIELD_UNSET | SESSION_AT_LEAST },
    { "ciphers", FIELD_TEXT, AT(ciphers), 1, 4096, NULL, 0, FIELD_UNSET },
    { "resolve", SESSION_RESOLVE, AT(resolve), 0, 0, NULL, 0, SESSION_CONFIGURED },
    { "interface", FIELD_TEXT, AT(interface), 1, 45, NULL, 0, FIELD_UNSET | SESSION_CONFIGURED },
};
/* clang-format on */

#define FIELDS (sizeof fields / sizeof fields[0])
_Static_assert(FIELDS <= SESSION_CONFIG_FIELDS_MAX, "raise SESSION_CONFIG_FIELDS_MAX");

const struct field *
session_config_field(size_t i)
{
    return i < FIELDS ? &fields[i] : NULL;
}

const struct field *
session_config_find(const char *name)
{
    return session_config_field(field_find(fields, FIELDS, name));
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

static void
free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

void
session_config_destroy(struct session_config *s)
{
    free(s->name);
    request_destroy(&s->defaults);
    free_list(s->proxies, s->proxy_count);
    free_list(s->hosts, s->host_count);
    free_list(s->resolve, s->resolve_count);
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind < FIELD_OTHER)
            field_destroy(s, &fields[i]);
    *s = (struct session_config){ 0 };
}

int
session_config_copy_field(struct session_config *to, const struct session_config *from,
                          const struct field *f)
{
    if (f->kind != SESSION_RESOLVE)
        return f->kind < FIELD_OTHER ? field_copy(to, from, f) : 0;
    for (size_t i = 0; i < from->resolve_count; i++)
        if (egress_config_add(&to->resolve, &to->resolve_count, from->resolve[i]) != 0)
            return -1;
    return 0;
}

int
session_config_copy(struct session_config *to, const struct session_config *from,
                    struct failure *err)
{
    session_config_init(to);
    to->by_limited_token = from->by_limited_token;
    to->made_by_limited_token = from->made_by_limited_token;
    memcpy(to->ceiling, from->ceiling, sizeof to->ceiling);
    for (size_t i = 0; i < FIELDS; i++)
        if (session_config_copy_field(to, from, &fields[i]) != 0)
            return failure_no_memory(err);
    for (size_t i = 0; i < from->proxy_count; i++)
        if (egress_config_add(&to->proxies, &to->proxy_count, from->proxies[i]) != 0)
            return failure_no_memory(err);
    for (size_t i = 0; i < from->host_count; i++)
        if (egress_config_add(&to->hosts, &to->host_count, from->hosts[i]) != 0)
            return failure_no_memory(err);
    to->proxies_by_limited = from->proxies_by_limited;
    if (text_replace(&to->name, from->name) != 0)
        return failure_no_memory(err);
    return request_merge_copy(&to->defaults, &from->defaults, err);
}

/* -- its size ------------------------------------------------------------- */

int64_t
session_config_bytes(const struct session_config *s)
{
    size_t n = sizeof *s - sizeof s->defaults + request_bytes(&s->defaults);

    n += text_bytes(s->name);
    if (s->defaults.ca != NULL)
        n += s->defaults.ca->size;
    for (size_t i = 0; i < s->proxy_count; i++)
        n += sizeof s->proxies[0] + text_bytes(s->proxies[i]);
    for (size_t i = 0; i < s->resolve_count; i++)
        n += sizeof s->resolve[0] + text_bytes(s->resolve[i]);
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind == FIELD_TEXT || fields[i].kind == FIELD_PATH)
            n += text_bytes(*(char *const *)((const char *)s + fields[i].at));
    return (int64_t)n;
}
