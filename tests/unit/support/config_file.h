/*
 * config_file.h - what the tests of the configuration share.
 */
#ifndef SUPPORT_CONFIG_FILE_H
#define SUPPORT_CONFIG_FILE_H

#include "message/config_load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config c;
static struct failure err;
static char path[] = "/tmp/curlewd-config-XXXXXX";

static inline void
setup(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    config_init(&c);
}

static inline void
teardown(void)
{
    config_destroy(&c);
    unlink(path);
}

static inline int
load(const char *text, char **environment)
{
    FILE *f = fopen(path, "w");

    fputs(text, f);
    fclose(f);
    config_destroy(&c);
    config_init(&c);
    err = (struct failure){ 0 };
    return config_load(&c, path, environment, &err);
}

#endif
