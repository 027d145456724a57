/* config_env.c - the configuration's second source: CURLEW_ variables of the environment. */

#include "message/config_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "CURLEW_"

const char *
config_variable(char *to, size_t size, const char *key)
{
    snprintf(to, size, PREFIX "%s", key);
    for (char *p = to; *p != '\0'; p++)
        *p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
    return to;
}

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

static const struct setting *
find(const char *name)
{
    char variable[80];
    const char *key;

    for (size_t i = 0; (key = config_key(i)) != NULL; i++)
        if (strcmp(config_variable(variable, sizeof variable, key), name) == 0)
            return setting_find(key);
    return NULL;
}

/* "a, b" as ["a", "b"]; NULL: no memory, or not UTF-8. */
static json_t *
split(const char *text, enum field_kind kind)
{
    json_t *list = json_array();

    while (list != NULL && *text != '\0') {
        size_t n = strcspn(text, ","), lead = strspn(text, " \t"), end = n;

        while (end > lead && (text[end - 1] == ' ' || text[end - 1] == '\t'))
            end--;
        lead = lead < end ? lead : end;
        if (json_array_append_new(list, field_from_text(kind, text + lead, end - lead)) != 0) {
            json_decref(list); /* a rule must not be lost in silence */
            return NULL;
        }
        text += n + (text[n] == ',');
    }
    return list;
}

static int
apply(struct config *c, const char *name, const char *text, struct failure *err)
{
    struct json_path at = { NULL, name, 0 };
    const struct setting *row = find(name);
    json_t *value;
    int rc;

    if (row == NULL)
        return failure_set(err, ERROR_BAD_REQUEST, "unknown environment variable %.100s", name);
    if (*text == '\0')
        return 0;
    if (row->list != ONE)
        value = split(text, row->list == INTEGERS ? FIELD_INT : FIELD_TEXT);
    else
        value = field_from_text(row->field.kind, text, strlen(text));
    if (value == NULL)
        return json_path_refuse(&at, err, "not valid UTF-8");
    rc = setting_apply(c, row, value, &at, err);
    json_decref(value);
    return rc;
}

int
config_read_environment(struct config *c, char **environment, struct failure *err)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *text = strchr(*environment, '=');
        char *name;
        int rc = 0;

        if (text == NULL || strncmp(*environment, PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        if ((name = strndup(*environment, (size_t)(text - *environment))) == NULL)
            return failure_no_memory(err);
        if (strcmp(name, PREFIX "URL") != 0 && !names_a_service(name, text + 1))
            rc = apply(c, name, text + 1, err);
        free(name);
        if (rc != 0)
            return -1;
    }
    return 0;
}
