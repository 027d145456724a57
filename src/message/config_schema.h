/*
 * config_schema.h - a JSON Schema (draft 2020-12) of the configuration file, for editors.
 *
 * Written from the tables of settings, of session keys and of request keys.  What the schema
 * refuses the daemon refuses, too; the daemon alone knows what a schema can't say, such as whether
 * a URL or an egress rule makes sense.
 */
#ifndef MESSAGE_CONFIG_SCHEMA_H
#define MESSAGE_CONFIG_SCHEMA_H

#include "util/buffer.h"

/* -1: no memory. */
int config_schema_write(struct buffer *out);

/* Has the key, whose kind does not tell it, a schema?  For the test that none is forgotten. */
bool config_schema_knows(const char *name);

#endif
