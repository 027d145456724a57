/* egress_config.c - the rules of the egress guard, as they were configured. */

#include "egress/egress_config.h"

#include <stdlib.h>
#include <string.h>

void
egress_config_init(struct egress_config *r)
{
    *r = (struct egress_config){ .http = true, .https = true };
}

static void
free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

void
egress_config_destroy(struct egress_config *r)
{
    free_strings(r->allow, r->allow_count);
    free_strings(r->deny, r->deny_count);
    free(r->ports.list);
    free(r->proxy_ports.list);
    *r = (struct egress_config){ 0 };
}

int
egress_config_add(char ***list, size_t *count, const char *rule)
{
    char **longer = reallocarray(*list, *count + 1, sizeof **list);

    if (longer == NULL)
        return -1;
    *list = longer;
    if ((longer[*count] = strdup(rule)) == NULL)
        return -1;
    (*count)++;
    return 0;
}
