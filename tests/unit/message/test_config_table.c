/* test_config_table.c - every setting is in the man page, with its variable, range and default. */

#include "message/config_load.h"
#include "message/config_table.h"
#include "session/session_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char page[200000];

/* Tests are run from the top of the source tree. */
static void
read_page(void)
{
    FILE *f = fopen("man/curlewd.json.5", "r");
    size_t n;

    cr_assert_not_null(f, "man/curlewd.json.5: run this from the top of the source tree");
    n = fread(page, 1, sizeof page - 1, f);
    page[n] = '\0';
    fclose(f);
}

TestSuite(man_page, .init = read_page);

/* "\n.It Cm NAME", up to the next item; NULL where it has no entry of its own. */
static const char *
entry(const char *name)
{
    static char text[4000];
    char head[120];
    const char *start, *end;

    snprintf(head, sizeof head, "\n.It Cm %s\n", name);
    if ((start = strstr(page, head)) == NULL)
        return NULL;
    if ((end = strstr(start + 1, "\n.It ")) == NULL)
        end = start + strlen(start);
    snprintf(text, sizeof text, "%.*s", (int)(end - start), start);
    return text;
}

Test(man_page, has_an_entry_for_every_setting_with_its_variable)
{
    const char *key, *text;
    size_t i = 0;

    for (; (key = config_table_key(i)) != NULL; i++) {
        char variable[80];

        cr_assert_not_null(text = entry(key), "%s has no entry", key);
        config_table_variable(variable, sizeof variable, key);
        cr_assert_not_null(strstr(text, variable), "%s does not name %s", key, variable);
        cr_assert_not_null(strstr(text, "Default: "), "%s has no default", key);
    }
    cr_assert_eq(i, 34);
}

Test(man_page, has_an_entry_for_every_key_of_a_session)
{
    const struct field *f;

    for (size_t i = 0; (f = session_config_field(i)) != NULL; i++)
        if (f->kind != SESSION_GROUP)
            cr_assert_not_null(entry(f->name), "%s has no entry", f->name);
    /* The keys of a request are listed by name; what each means is in docs/api.md. */
    for (enum request_key key = 0; key < KEY_COUNT; key++)
        if (((f = request_key_field(key))->flags & REQUEST_IN_SESSION) &&
            strchr(f->name, '.') == NULL)
            cr_assert_not_null(strstr(page, f->name), "%s is not in the page", f->name);
}

Test(man_page, no_two_settings_share_a_variable)
{
    const char *a, *b;

    for (size_t i = 0; (a = config_table_key(i)) != NULL; i++) {
        for (size_t k = 0; k < i && (b = config_table_key(k)) != NULL; k++) {
            char first[80], second[80];

            cr_assert_str_neq(config_table_variable(first, sizeof first, a),
                              config_table_variable(second, sizeof second, b));
        }
    }
}

/* The sentence that refuses null under a setting's key: it tells the range. */
static void
refuse_null(const char *key, struct failure *err)
{
    char variable[80], entry_text[100];
    char *environment[] = { entry_text, NULL };
    struct config c;

    config_init(&c);
    snprintf(entry_text, sizeof entry_text, "%s=null",
             config_table_variable(variable, sizeof variable, key));
    config_load(&c, NULL, environment, err);
    config_destroy(&c);
}

Test(man_page, tells_every_integers_range)
{
    const char *key;
    int ranges = 0;

    for (size_t i = 0; (key = config_table_key(i)) != NULL; i++) {
        struct failure err = { 0 };
        const char *range;

        refuse_null(key, &err);
        if ((range = strstr(err.detail, "integer from ")) == NULL)
            continue;
        ranges++;
        cr_assert_not_null(strstr(entry(key), range + strlen("integer from ")), "%s: %s", key,
                           err.detail);
    }
    cr_assert_eq(ranges, 19);
}

Test(man_page, tells_the_defaults_that_are_in_force)
{
    struct config c;

    config_init(&c);
    const struct limits *l = &c.engine.limits;
    const struct session_config *s = &c.engine.sessions[0];
    const struct {
        const char *key;
        int64_t value;
    } rows[] = {
        { "workers", c.workers },
        { "threads", c.engine.threads },
        { "drain_seconds", c.drain_seconds },
        { "limits.request_bytes", l->request_bytes },
        { "limits.response_bytes", l->response_bytes },
        { "limits.head_bytes", l->head_bytes },
        { "limits.buffered_bytes", l->buffered_bytes },
        { "limits.session_bytes", l->session_bytes },
        { "limits.sessions_bytes", l->sessions_bytes },
        { "limits.headers", l->request.headers },
        { "limits.params", l->request.params },
        { "limits.cookies", l->request.cookies },
        { "limits.parts", l->request.parts },
        { "limits.in_flight", l->in_flight },
        { "limits.queue", l->queue },
        { "max_in_flight", s->max_in_flight },
        { "max_per_origin", s->max_per_origin },
        { "idle_connections", s->idle_connections },
        { "idle_seconds", s->idle_seconds },
        { "burst", s->rate_limit.burst },
        { "retries.max_backoff", s->defaults.retries.max_backoff_ms / 1000 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[60];

        snprintf(text, sizeof text, "Default: %lld", (long long)rows[i].value);
        cr_assert_not_null(strstr(entry(rows[i].key), text), "%s: not %s", rows[i].key, text);
    }
    cr_assert_not_null(strstr(entry("listen"), c.listen[0]));
    config_destroy(&c);
}
