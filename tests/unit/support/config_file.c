/* config_file.c - a configuration file of a test. */

#include "support/config_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
config_file_open(struct config_file *t)
{
    int fd;

    *t = (struct config_file){ .path = "/tmp/curlewd-config-XXXXXX" };
    fd = mkstemp(t->path);
    cr_assert_geq(fd, 0);
    close(fd);
    config_init(&t->config);
}

void
config_file_close(struct config_file *t)
{
    config_destroy(&t->config);
    unlink(t->path);
}

int
config_file_load(struct config_file *t, const char *text, char **environment)
{
    FILE *f = fopen(t->path, "w");

    fputs(text, f);
    fclose(f);
    config_destroy(&t->config);
    config_init(&t->config);
    t->err = (struct failure){ 0 };
    return config_load(&t->config, t->path, environment, &t->err);
}
