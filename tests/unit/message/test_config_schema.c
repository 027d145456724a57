/* test_config_schema.c - a JSON Schema of the configuration file, for editors. */

#include "message/config_schema.h"

#include "http/request.h"
#include "message/config_table.h"
#include "session/session_config.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *
schema(void)
{
    struct buffer text;
    json_t *all;

    buffer_init(&text, 1 << 20);
    cr_assert_eq(config_schema_write(&text), 0);
    cr_assert_not_null(all = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL));
    buffer_free(&text);
    return all;
}

static const json_t *
find(const json_t *object, const char *dotted)
{
    const char *dot = strchr(dotted, '.');
    const json_t *properties = json_object_get(object, "properties");
    char name[64];

    if (dot == NULL)
        return json_object_get(properties, dotted);
    snprintf(name, sizeof name, "%.*s", (int)(dot - dotted), dotted);
    return find(json_object_get(properties, name), dot + 1);
}

Test(config_schema, every_setting_is_there_with_its_variable)
{
    json_t *all = schema();
    const char *key;

    for (size_t i = 0; (key = config_table_key(i)) != NULL; i++) {
        const json_t *found = find(all, key);
        char variable[80];

        cr_assert_not_null(found, "%s", key);
        config_table_variable(variable, sizeof variable, key);
        cr_assert_not_null(
            strstr(json_string_value(json_object_get(found, "description")), variable), "%s", key);
    }
    json_decref(all);
}

Test(config_schema, an_object_takes_no_key_that_it_does_not_name)
{
    json_t *all = schema();

    cr_assert(json_is_false(json_object_get(all, "additionalProperties")));
    cr_assert(json_is_false(json_object_get(find(all, "limits"), "additionalProperties")));
    json_decref(all);
}

Test(config_schema, no_key_of_an_odd_kind_is_forgotten)
{
    const struct setting *row;
    const struct field *f;

    for (size_t i = 0; (row = config_table_get(i)) != NULL; i++)
        if (row->field.kind >= FIELD_OTHER)
            cr_assert(config_schema_knows(row->field.name), "%s", row->field.name);
    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (f->kind >= FIELD_OTHER && f->kind != SESSION_GROUP)
            cr_assert(config_schema_knows(f->name), "%s", f->name);
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if ((f = request_key_field(key))->flags & REQUEST_IN_SESSION)
            cr_assert(f->kind < FIELD_OTHER || f->kind == REQUEST_GROUP ||
                          config_schema_knows(f->name),
                      "%s", f->name);
}
