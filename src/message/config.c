/* config.c - the daemon's configuration: a JSON file, then the environment over it. */

#include "message/config_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16 << 20)

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
        if ((row = setting_find(dotted)) == NULL)
            return json_path_unknown_key(&here, err);
        if (setting_apply(c, row, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
apply_key(struct config *c, const json_t *value, const struct json_path *at, struct failure *err)
{
    const struct setting *row = strchr(at->name, '.') == NULL ? setting_find(at->name) : NULL;

    if (row != NULL)
        return setting_apply(c, row, value, at, err);
    if (strcmp(at->name, "sessions") == 0)
        return config_read_sessions(c, value, at, err);
    return setting_is_group(at->name) ? apply_group(c, value, at, err)
                                      : json_path_unknown_key(at, err);
}

static int
apply(struct config *c, const json_t *root, struct failure *err)
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

static int
read_file(struct buffer *to, const char *path, struct failure *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    char *room;

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
        (root = json_parse(text.data, text.len, &inner)) != NULL)
        rc = apply(c, root, &inner);
    json_decref(root);
    buffer_free(&text);
    if (rc != 0)
        failure_set(err, inner.error, "%s: %s", path, inner.detail);
    return rc;
}

/* -- the whole ---------------------------------------------------------- */

static void
write_log_line(void *arg, int level, const char *line)
{
    (void)arg;
    log_line((enum log_level)level, "%s", line);
}

void
config_init(struct config *c)
{
    *c = (struct config){
        .socket_mode = 0660,
        .responders = 2,
        .log_level = LOG_INFO,
        .log_access = true,
        .drain_seconds = 30,
    };
    engine_config_init(&c->engine);
    c->engine.log.write = write_log_line;
    egress_config_add(&c->listen, &c->listen_count, CONFIG_LISTEN);
}

void
config_destroy(struct config *c)
{
    setting_texts_free(c->listen, c->listen_count);
    free(c->socket_group);
    free(c->tokens_file);
    engine_config_destroy(&c->engine);
    *c = (struct config){ 0 };
}

int
config_load(struct config *c, const char *path, char **environment, struct failure *err)
{
    if (c->listen_count == 0 || c->engine.session_count == 0)
        return failure_no_memory(err); /* in config_init() */
    if (path != NULL && load_file(c, path, err) != 0)
        return -1;
    return config_read_environment(c, environment, err);
}
