/* config_load.c - the daemon's configuration read: a JSON file, then the environment over it. */

#include "message/config_load.h"

#include "message/config_session.h"
#include "message/config_table.h"
#include "message/config_variable.h"
#include "message/field_json.h"
#include "util/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16 << 20)
#define TREE_BYTES_MAX ((size_t)16 * FILE_BYTES_MAX)

/* -- the file ----------------------------------------------------------- */

static int
apply_group(struct config *c, const json_t *object, const struct json_path *at, struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object");
    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        const struct setting *row;
        char dotted[64];

        snprintf(dotted, sizeof dotted, "%s.%s", at->name, name);
        if ((row = config_table_find(dotted)) == NULL)
            return json_path_unknown_key(&here, err);
        if (config_table_apply(c, row, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
apply_key(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    const struct setting *row = strchr(at->name, '.') == NULL ? config_table_find(at->name) : NULL;

    if (row != NULL)
        return config_table_apply(c, row, value, at, err);
    if (strcmp(at->name, "$schema") == 0) /* for editors */
        return field_json_string(value, at, err) != NULL ? 0 : -1;
    if (strcmp(at->name, "sessions") == 0)
        return config_session_read_all(&c->engine, value, at, err);
    return config_table_is_group(at->name) ? apply_group(c, value, at, err)
                                           : json_path_unknown_key(at, err);
}

static int
apply_root(struct config *c, const json_t *root, struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(root))
        return json_path_refuse(NULL, err, "a configuration is one JSON object");
    json_object_foreach((json_t *)root, name, value)
    {
        struct json_path at = { NULL, name, 0 };

        if (apply_key(c, value, &at, err) != 0)
            return -1;
    }
    return 0;
}

/* What can be read once only would be empty the second time, and at a reload. */
static int
check_kind(int fd, struct failure *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return 0; /* read() says what is wrong */
    return failure_set(err, ERROR_BAD_REQUEST,
                       "not a regular file: it is read more than once, also at each reload, so a "
                       "pipe or a device will not do");
}

static int
read_file(struct buffer *to, const char *path, struct failure *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* of a FIFO, too */
    ssize_t n = -1;
    char *room;

    if (fd >= 0 && check_kind(fd, err) != 0) {
        close(fd);
        return -1;
    }
    while (fd >= 0 && (room = buffer_room(to, 8192)) != NULL && (n = read(fd, room, 8192)) > 0)
        to->len += (size_t)n;
    if (fd < 0 || (n < 0 && buffer_ok(to)))
        failure_set(err, ERROR_BAD_REQUEST, "%s", strerror(errno));
    else if (!buffer_ok(to))
        failure_set(err, ERROR_BAD_REQUEST, "larger than %d bytes", FILE_BYTES_MAX);
    if (fd >= 0)
        close(fd);
    return err->error != ERROR_NONE ? -1 : 0;
}

static int
load_file(struct config *c, const char *path, struct failure *err)
{
    struct failure inner = { 0 };
    struct buffer text;
    json_t *root = NULL;
    int rc = -1;

    buffer_init(&text, FILE_BYTES_MAX);
    if (read_file(&text, path, &inner) == 0 &&
        (root = json_parse_within(text.data, text.len, TREE_BYTES_MAX, &inner)) != NULL)
        rc = apply_root(c, root, &inner);
    json_memory_release(root);
    buffer_free(&text);
    if (rc != 0)
        failure_set(err, inner.error, "%s: %s", path, inner.detail);
    return rc;
}

/* -- the environment ------------------------------------------------------ */

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
        if (json_array_append_new(list, field_json_from_text(kind, text + lead, end - lead)) != 0) {
            json_decref(list); /* a rule must not be lost in silence */
            return NULL;
        }
        text += n + (text[n] == ',');
    }
    return list;
}

/* The others are warned of when the log is set up: config_variable_warn(). */
static int
refuse_unknown(const char *name, const char *value, struct failure *err)
{
    char nearest[100];

    if (config_variable_kind(name, value) != CONFIG_VARIABLE_REFUSED)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST,
                       "unknown environment variable %.100s; the nearest is %s", name,
                       config_variable_nearest(nearest, sizeof nearest, name));
}

static int
apply_variable(struct config *c, const char *name, const char *text, struct failure *err)
{
    struct json_path at = { NULL, name, 0 };
    const char *key = config_variable_key(name);
    const struct setting *row = key != NULL ? config_table_find(key) : NULL;
    json_t *value;
    int rc;

    if (row == NULL)
        return refuse_unknown(name, text, err);
    if (*text == '\0')
        return 0;
    if (row->list != ONE)
        value = split(text, row->list == INTEGERS ? FIELD_INT : FIELD_TEXT);
    else
        value = field_json_from_text(row->field.kind, text, strlen(text));
    if (value == NULL && utf8_valid(text, strlen(text)))
        return failure_no_memory(err);
    if (value == NULL)
        return json_path_refuse(&at, err, "not valid UTF-8");
    rc = config_table_apply(c, row, value, &at, err);
    json_decref(value);
    return rc;
}

static int
load_environment(struct config *c, char **environment, struct failure *err)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *text = strchr(*environment, '=');
        char *name;
        int rc;

        if (text == NULL ||
            strncmp(*environment, CONFIG_TABLE_PREFIX, sizeof CONFIG_TABLE_PREFIX - 1) != 0)
            continue;
        if ((name = strndup(*environment, (size_t)(text - *environment))) == NULL)
            return failure_no_memory(err);
        rc = apply_variable(c, name, text + 1, err);
        free(name);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* Against the limits of both. */
static int
check_sessions(const struct config *c, const char *path, struct failure *err)
{
    struct failure inner = { 0 };

    if (config_session_check_all(&c->engine, &inner) == 0)
        return 0;
    return failure_set(err, inner.error, "%s%s%s", path != NULL ? path : "",
                       path != NULL ? ": " : "", inner.detail);
}

int
config_load(struct config *c, const char *path, char **environment, struct failure *err)
{
    if (c->listen_count == 0 || c->engine.session_count == 0)
        return failure_no_memory(err); /* in config_init() */
    if (path != NULL && load_file(c, path, err) != 0)
        return -1;
    if (load_environment(c, environment, err) != 0)
        return -1;
    return check_sessions(c, path, err);
}

/* -- rules that others check ------------------------------------------------- */

static bool
is_set(char *const *environment, const char *variable)
{
    size_t n = strlen(variable);

    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, variable, n) == 0 && (*environment)[n] == '=' &&
            (*environment)[n + 1] != '\0')
            return true;
    return false;
}

int
config_load_refuse(const char *path, char *const *environment, const struct failure *rule,
                   struct failure *err)
{
    char variable[80], key[64];
    size_t n = strcspn(rule->detail, ":");

    snprintf(key, sizeof key, "%.*s", (int)n, rule->detail);
    config_table_variable(variable, sizeof variable, key);
    if (config_table_find(key) != NULL && is_set(environment, variable))
        return failure_set(err, rule->error, "%s%s", variable, rule->detail + n);
    return failure_set(err, rule->error, "%s%s%s", path != NULL ? path : "",
                       path != NULL ? ": " : "", rule->detail);
}

/* -- one setting ahead of all ----------------------------------------------- */

static char *
libcurl_of_file(const char *path)
{
    struct failure err = { 0 };
    struct buffer text;
    json_t *root = NULL;
    char *value = NULL;

    buffer_init(&text, FILE_BYTES_MAX);
    if (read_file(&text, path, &err) == 0 &&
        (root = json_parse_within(text.data, text.len, TREE_BYTES_MAX, &err)) != NULL &&
        json_string_value(json_object_get(root, "libcurl")) != NULL)
        value = strdup(json_string_value(json_object_get(root, "libcurl")));
    json_memory_release(root);
    buffer_free(&text);
    return value;
}

char *
config_load_libcurl(const char *path, char **environment)
{
    static const char variable[] = CONFIG_TABLE_PREFIX "LIBCURL=";
    const size_t n = sizeof variable - 1;

    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, variable, n) == 0 && (*environment)[n] != '\0')
            return strdup(*environment + n);
    return path != NULL ? libcurl_of_file(path) : NULL;
}
