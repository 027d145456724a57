/* config.c - the daemon's configuration as a struct. */

#include "message/config.h"

#include "egress/egress.h"
#include "message/field_json.h"

#include <stdlib.h>

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
        .workers = 2,
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
    field_json_texts_free(c->listen, c->listen_count);
    free(c->socket_group);
    free(c->tokens_file);
    free(c->libcurl);
    field_json_texts_free(c->origins, c->origin_count);
    engine_config_destroy(&c->engine);
    *c = (struct config){ 0 };
}
