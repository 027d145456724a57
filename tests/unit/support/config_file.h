/*
 * config_file.h - what the tests of the configuration share: a file that is written and loaded.
 */
#ifndef SUPPORT_CONFIG_FILE_H
#define SUPPORT_CONFIG_FILE_H

#include "message/config_load.h"

struct config_file {
    struct config config; /* as it was last loaded */
    struct failure err;
    char path[40];
};

void config_file_open(struct config_file *t);
void config_file_close(struct config_file *t);

/* config_load() of a file with this text. */
int config_file_load(struct config_file *t, const char *text, char **environment);

#endif
