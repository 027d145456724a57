/* config_variable.c - the CURLEW_ variables of the environment that are no settings. */

#include "message/config_variable.h"

#include "message/config_table.h"
#include "util/log.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_COMPARED 80 /* bytes; no setting's variable is as long */

/*
 * Kubernetes and Docker links give every container variables named after each
 * service: CURLEW_SERVICE_HOST, CURLEW_PORT=tcp://…, CURLEW_PORT_9000_TCP_ADDR.
 */
static bool
names_a_service(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT");

    if (strstr(name, "_SERVICE_HOST") != NULL || strstr(name, "_SERVICE_PORT") != NULL)
        return true;
    if (port == NULL)
        return false;
    return port[5] == '\0' ? strstr(value, "://") != NULL
                           : port[5] == '_' && isdigit((unsigned char)port[6]);
}

/* The Python client's own, which may stand in the same shell. */
static bool
is_the_clients(const char *name)
{
    return strcmp(name, CONFIG_TABLE_PREFIX "URL") == 0 ||
           strcmp(name, CONFIG_TABLE_PREFIX "RECORD") == 0;
}

/* Lost in silence, one of these would leave the daemon more open than its operator believes. */
static bool
restricts(const char *name)
{
    static const char *const groups[] = { "EGRESS", "AUTH", "LIMITS" };

    name += sizeof CONFIG_TABLE_PREFIX - 1;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        size_t n = strlen(groups[i]);

        if (strncmp(name, groups[i], n) == 0 && (name[n] == '_' || name[n] == '\0'))
            return true;
    }
    return false;
}

const char *
config_variable_key(const char *name)
{
    char variable[NAME_MAX_COMPARED];
    const char *key;

    for (size_t i = 0; (key = config_table_key(i)) != NULL; i++)
        if (strcmp(config_table_variable(variable, sizeof variable, key), name) == 0)
            return key;
    return NULL;
}

enum config_variable
config_variable_kind(const char *name, const char *value)
{
    if (config_variable_key(name) != NULL)
        return CONFIG_VARIABLE_SETTING;
    if (strncmp(name, CONFIG_TABLE_PREFIX, sizeof CONFIG_TABLE_PREFIX - 1) != 0 ||
        is_the_clients(name) || names_a_service(name, value))
        return CONFIG_VARIABLE_OTHERS;
    return restricts(name) ? CONFIG_VARIABLE_REFUSED : CONFIG_VARIABLE_UNKNOWN;
}

/* Letters to insert, delete or replace (Levenshtein), in the first NAME_MAX_COMPARED of each. */
static int
distance(const char *a, const char *b)
{
    int row[NAME_MAX_COMPARED + 1];
    size_t n = strnlen(b, NAME_MAX_COMPARED);

    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 0; i < NAME_MAX_COMPARED && a[i] != '\0'; i++) {
        int diagonal = row[0];

        row[0] = (int)i + 1;
        for (size_t j = 0; j < n; j++) {
            int replaced = diagonal + (a[i] != b[j]);
            int other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

            diagonal = row[j + 1];
            row[j + 1] = replaced < other ? replaced : other;
        }
    }
    return row[n];
}

const char *
config_variable_nearest(char *to, size_t size, const char *name)
{
    char variable[NAME_MAX_COMPARED];
    const char *key;
    int least = INT_MAX;

    *to = '\0';
    for (size_t i = 0; (key = config_table_key(i)) != NULL; i++) {
        int d = distance(name, config_table_variable(variable, sizeof variable, key));

        if (d < least) {
            least = d;
            snprintf(to, size, "%s", variable);
        }
    }
    return to;
}

void
config_variable_warn(char *const *environment)
{
    char nearest[NAME_MAX_COMPARED];

    for (; environment != NULL && *environment != NULL; environment++) {
        const char *value = strchr(*environment, '=');
        char *name = value != NULL ? strndup(*environment, (size_t)(value - *environment)) : NULL;

        if (name != NULL && config_variable_kind(name, value + 1) == CONFIG_VARIABLE_UNKNOWN)
            log_warning("unknown environment variable %.100s is ignored; the nearest is %s", name,
                        config_variable_nearest(nearest, sizeof nearest, name));
        free(name);
    }
}
