/* test_config.c - the daemon's configuration: defaults and the file. */

#include "message/config.h"

#include "support/config_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct config_file t;

static void
setup(void)
{
    config_file_open(&t);
}

static void
teardown(void)
{
    config_file_close(&t);
}

TestSuite(config, .init = setup, .fini = teardown);

static void
takes(const char *text)
{
    cr_assert_eq(config_file_load(&t, text, NULL), 0, "%s: %s", text, t.err.detail);
}

/* The file is refused, and after its path the detail goes on as expected. */
static void
refuses(const char *text, const char *detail)
{
    cr_assert_eq(config_file_load(&t, text, NULL), -1, "%s", text);
    cr_assert_eq(strncmp(t.err.detail, t.path, strlen(t.path)), 0, "%s", t.err.detail);
    cr_assert_str_eq(t.err.detail + strlen(t.path) + 2, detail, "%s gave: %s", text, t.err.detail);
}

/* -- defaults and the file ---------------------------------------------- */

Test(config, nothing_at_all_gives_the_safe_defaults)
{
    cr_assert_eq(config_load(&t.config, NULL, NULL, &t.err), 0, "%s", t.err.detail);

    cr_assert_eq(t.config.listen_count, 1);
    cr_assert_str_eq(t.config.listen[0], "unix:/run/curlew/curlew.sock");
    cr_assert_eq(t.config.socket_mode, 0660);
    cr_assert_null(t.config.socket_group);
    cr_assert_eq(t.config.workers, 2);
    cr_assert_eq(t.config.log_level, LOG_INFO);
    cr_assert_not(t.config.log_json);
    cr_assert(t.config.log_access);
    cr_assert_null(t.config.tokens_file);
    cr_assert_eq(t.config.drain_seconds, 30);
    cr_assert_not(t.config.replica);
    cr_assert_eq(t.config.engine.threads, 1);
    cr_assert_eq(t.config.engine.limits.request_bytes, 16 << 20);
    cr_assert_eq(t.config.engine.limits.response_bytes, 64 << 20);
    cr_assert_eq(t.config.engine.limits.buffered_bytes, 512 << 20);
    cr_assert_eq(t.config.engine.limits.in_flight, 2048);
    cr_assert_eq(t.config.engine.limits.queue, 2048);
    cr_assert_eq(t.config.engine.egress.allow_count, 0);
    cr_assert_eq(t.config.engine.egress.ports.count, 0);
    cr_assert(t.config.engine.egress.http && t.config.engine.egress.https);
    cr_assert_not(t.config.engine.egress.report_only);
}

Test(config, the_default_session_is_there_by_default)
{
    const struct session_config *s = &t.config.engine.sessions[0];

    cr_assert_eq(t.config.engine.session_count, 1);
    cr_assert_str_eq(s->name, "default");
    cr_assert_not(s->shared_jar);
    cr_assert_eq(s->max_in_flight, 2048);
    cr_assert_eq(s->max_per_origin, 1024);
    cr_assert_eq(s->idle_connections, 256);
    cr_assert_eq(s->idle_seconds, 60);
    cr_assert_eq(s->defaults.set, 0);
}

Test(config, every_setting_of_the_file_arrives)
{
    takes("{\"listen\":[\"unix:/a\",\"127.0.0.1:9\"],\"socket_mode\":\"0600\","
          "\"socket_group\":\"www-data\",\"workers\":3,\"threads\":4,\"drain_seconds\":5,"
          "\"replica\":true,"
          "\"log\":{\"level\":\"debug\",\"format\":\"json\",\"access\":false},"
          "\"auth\":{\"tokens_file\":\"/t\",\"origins\":[\"https://a.test\",\"http://b:8000\"]},"
          "\"limits\":{\"request_bytes\":1,\"response_bytes\":2,\"buffered_bytes\":3,"
          "\"head_bytes\":6,\"session_bytes\":10000,\"sessions_bytes\":20000,\"headers\":7,"
          "\"params\":8,\"cookies\":9,\"parts\":10,\"in_flight\":4,\"queue\":0},"
          "\"egress\":{\"allow\":[\"10.0.0.0/8\"],\"deny\":[\"*.evil\",\"x\"],\"ports\":[80,443],"
          "\"schemes\":[\"https\"],\"report_only\":true}}");

    cr_assert_eq(t.config.listen_count, 2);
    cr_assert_str_eq(t.config.listen[1], "127.0.0.1:9");
    cr_assert_eq(t.config.socket_mode, 0600);
    cr_assert_str_eq(t.config.socket_group, "www-data");
    cr_assert_eq(t.config.workers, 3);
    cr_assert_eq(t.config.engine.threads, 4);
    cr_assert_eq(t.config.drain_seconds, 5);
    cr_assert(t.config.replica);
    cr_assert_eq(t.config.log_level, LOG_DEBUG);
    cr_assert(t.config.log_json);
    cr_assert_not(t.config.log_access);
    cr_assert_str_eq(t.config.tokens_file, "/t");
    cr_assert_eq(t.config.origin_count, 2);
    cr_assert_str_eq(t.config.origins[1], "http://b:8000");
    cr_assert_eq(t.config.engine.limits.request_bytes, 1);
    cr_assert_eq(t.config.engine.limits.response_bytes, 2);
    cr_assert_eq(t.config.engine.limits.buffered_bytes, 3);
    cr_assert_eq(t.config.engine.limits.head_bytes, 6);
    cr_assert_eq(t.config.engine.limits.session_bytes, 10000);
    cr_assert_eq(t.config.engine.limits.sessions_bytes, 20000);
    cr_assert_eq(t.config.engine.limits.request.headers, 7);
    cr_assert_eq(t.config.engine.limits.request.params, 8);
    cr_assert_eq(t.config.engine.limits.request.cookies, 9);
    cr_assert_eq(t.config.engine.limits.request.parts, 10);
    cr_assert_eq(t.config.engine.limits.in_flight, 4);
    cr_assert_eq(t.config.engine.limits.queue, 0);
    cr_assert_str_eq(t.config.engine.egress.allow[0], "10.0.0.0/8");
    cr_assert_str_eq(t.config.engine.egress.deny[1], "x");
    cr_assert_eq(t.config.engine.egress.ports.list[1], 443);
    cr_assert_not(t.config.engine.egress.http);
    cr_assert(t.config.engine.egress.https);
    cr_assert(t.config.engine.egress.report_only);
}

Test(config, sessions_keep_to_limits_that_stand_behind_them)
{
    takes("{\"sessions\":{\"a\":{\"headers\":{\"X\":\"1\",\"Y\":\"2\"}}},\"limits\":{\"headers\":2}"
          "}");
    refuses(
        "{\"sessions\":{\"a\":{\"headers\":{\"X\":\"1\",\"Y\":\"2\"}}},\"limits\":{\"headers\":1}}",
        "sessions.a.headers: over 1 (limits.headers)");
    refuses("{\"sessions\":{\"a\":{\"forward_headers\":[\"X\",\"Y\"]}},\"limits\":{\"headers\":1}}",
            "sessions.a.forward_headers: over 1 (limits.headers)");
    refuses(
        "{\"sessions\":{\"a\":{\"cookies\":{\"x\":\"1\",\"y\":\"2\"}}},\"limits\":{\"cookies\":1}}",
        "sessions.a.cookies: over 1 (limits.cookies)");
}

Test(config, sessions_keep_to_their_bytes)
{
    int64_t one, both;

    takes("{\"sessions\":{\"a\":{\"headers\":{\"X\":\"1\"}}}}");
    one = session_config_bytes(&t.config.engine.sessions[1]);
    both = one + session_config_bytes(&t.config.engine.sessions[0]);
    for (int less = 0; less < 2; less++) {
        char text[200];

        snprintf(text, sizeof text,
                 "{\"sessions\":{\"a\":{\"headers\":{\"X\":\"1\"}}},\"limits\":{\"%s\":%lld}}",
                 "session_bytes", (long long)(one - less));
        cr_assert_eq(config_file_load(&t, text, NULL), -less, "%s", t.err.detail);
        cr_assert(less == 0 || strstr(t.err.detail, "sessions.a: takes ") != NULL);
        snprintf(text, sizeof text,
                 "{\"sessions\":{\"a\":{\"headers\":{\"X\":\"1\"}}},\"limits\":{\"%s\":%lld}}",
                 "sessions_bytes", (long long)(both - less));
        cr_assert_eq(config_file_load(&t, text, NULL), -less, "%s", t.err.detail);
        cr_assert(less == 0 || strstr(t.err.detail, "(limits.sessions_bytes)") != NULL);
    }
}

Test(config, one_address_needs_no_list)
{
    takes("{\"listen\":\"fd:0\"}");
    cr_assert_eq(t.config.listen_count, 1);
    cr_assert_str_eq(t.config.listen[0], "fd:0");
}

Test(config, unknown_keys_are_named_with_their_path)
{
    refuses("{\"listne\":[]}", "unknown key \"listne\"");
    refuses("{\"log\":{\"colour\":true}}", "unknown key \"log.colour\"");
    refuses("{\"log.level\":\"info\"}", "unknown key \"log.level\"");
    refuses("{\"limits\":{\"\":1}}", "unknown key \"limits.\"");
}

#define ORIGIN "expected the origin of pages, such as \"https://www.example.org\", without a path"

Test(config, wrong_types_are_named_with_their_path)
{
    refuses("[]", "a configuration is one JSON object");
    refuses("{\"limits\":5}", "limits: expected an object");
    refuses("{\"listen\":[]}", "listen: expected at least one address");
    refuses("{\"listen\":[\"a:1\",2]}", "listen[1]: expected a string");
    refuses("{\"listen\":\"\"}", "listen[0]: must not be empty");
    refuses("{\"listen\":7}", "listen: expected a string, or a list of strings");
    refuses("{\"log\":{\"level\":\"verbose\"}}",
            "log.level: expected one of error, warning, info, debug");
    refuses("{\"log\":{\"format\":true}}", "log.format: expected one of text, json");
    refuses("{\"log\":{\"access\":1}}", "log.access: expected true or false");
    refuses("{\"auth\":{\"tokens_file\":\"t\"}}", "auth.tokens_file: expected an absolute path");
    refuses("{\"auth\":{\"origins\":\"https://a.test\"}}",
            "auth.origins: expected a list of strings");
    refuses("{\"auth\":{\"origins\":[\"https://a.test\",\"https://b.test/\"]}}",
            "auth.origins[1]: " ORIGIN);
    refuses("{\"auth\":{\"origins\":[\"*\"]}}", "auth.origins[0]: " ORIGIN);
    refuses("{\"auth\":{\"origins\":[\"null\"]}}", "auth.origins[0]: " ORIGIN);
    refuses("{\"egress\":{\"allow\":\"10.0.0.0/8\"}}", "egress.allow: expected a list of strings");
    refuses("{\"egress\":{\"deny\":[\"\"]}}", "egress.deny[0]: must not be empty");
    refuses("{\"egress\":{\"ports\":443}}", "egress.ports: expected a list of ports");
    refuses("{\"egress\":{\"schemes\":[]}}",
            "egress.schemes: expected a list of http, https or both");
    refuses("{\"egress\":{\"schemes\":[\"https\",\"ftp\"]}}",
            "egress.schemes[1]: expected http or https");
    refuses("{\"sessions\":[]}", "sessions: expected an object of name to session");
}

Test(config, workers_may_still_be_called_responders)
{
    takes("{\"responders\":5}");
    cr_assert_eq(t.config.workers, 5);
    cr_assert(t.config.responders_named);
    takes("{\"workers\":6}");
    cr_assert_eq(t.config.workers, 6);
    cr_assert_not(t.config.responders_named);
    refuses("{\"workers\":6,\"responders\":6}",
            "responders: responders is the old name of workers; give workers only");
    refuses("{\"responders\":65}", "responders: expected an integer from 1 to 64");
}

Test(config, numbers_are_taken_at_their_limits_and_refused_past_them)
{
    static const struct {
        const char *group, *key;
        long long min, max;
    } rows[] = {
        { NULL, "workers", 1, 64 },
        { NULL, "threads", 1, 64 },
        { NULL, "drain_seconds", 0, 86400 },
        { "limits", "in_flight", 1, 1000000 },
        { "limits", "headers", 1, 1000000 },
        { "limits", "params", 1, 1000000 },
        { "limits", "cookies", 1, 1000000 },
        { "limits", "parts", 1, 1000000 },
        { "limits", "queue", 0, 1000000 },
        { "limits", "request_bytes", 1, 9007199254740992 },
        { "limits", "response_bytes", 1, 9007199254740992 },
        { "limits", "head_bytes", 1, 9007199254740992 },
        { "limits", "buffered_bytes", 1, 9007199254740992 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        long long values[] = { rows[i].min, rows[i].max, rows[i].min - 1, rows[i].max + 1 };
        char text[100], detail[200];

        snprintf(detail, sizeof detail, "%s%s: expected an integer from %lld to %lld",
                 rows[i].group != NULL ? "limits." : "", rows[i].key, rows[i].min, rows[i].max);
        for (size_t v = 0; v < 4; v++) {
            if (rows[i].group != NULL)
                snprintf(text, sizeof text, "{\"limits\":{\"%s\":%lld}}", rows[i].key, values[v]);
            else
                snprintf(text, sizeof text, "{\"%s\":%lld}", rows[i].key, values[v]);
            if (v < 2)
                takes(text);
            else
                refuses(text, detail);
        }
    }
}

Test(config, ports_run_from_1_to_65535)
{
    takes("{\"egress\":{\"ports\":[1,65535]}}");
    cr_assert_eq(t.config.engine.egress.ports.count, 2);
    takes("{\"egress\":{\"ports\":[]}}");
    cr_assert_eq(t.config.engine.egress.ports.count, 0);
    refuses("{\"egress\":{\"ports\":[80,0]}}",
            "egress.ports[1]: expected an integer from 1 to 65535");
    refuses("{\"egress\":{\"ports\":[65536]}}",
            "egress.ports[0]: expected an integer from 1 to 65535");
}

Test(config, a_socket_mode_is_octal_digits_in_quotes)
{
    static const char *const wrong[] = { "660",      "\"0668\"", "\"77\"",    "\"01777\"",
                                         "\"1000\"", "\"\"",     "\"0660 \"", "\"rw\"" };
    char text[60];

    takes("{\"socket_mode\":\"660\"}");
    cr_assert_eq(t.config.socket_mode, 0660);
    takes("{\"socket_mode\":\"0777\"}");
    takes("{\"socket_mode\":\"000\"}");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "{\"socket_mode\":%s}", wrong[i]);
        refuses(text, "socket_mode: expected octal digits in quotes, \"0600\" to \"0777\"");
    }
}

Test(config, a_file_that_is_not_JSON_is_shown_with_line_and_column)
{
    cr_assert_eq(config_file_load(&t, "{\n  \"threads\": 1,\n  \"threads\": 2\n}", NULL), -1);
    cr_assert_not_null(strstr(t.err.detail, ": line 3, column 3: duplicate key: \"threads\""));
    cr_assert_eq(config_file_load(&t, "", NULL), -1);
    cr_assert_not_null(strstr(t.err.detail, ": line 1, column 1: "), "%s", t.err.detail);
}

Test(config, a_file_that_cannot_be_read_is_an_error)
{
    cr_assert_eq(config_load(&t.config, "/nonexistent/curlewd.json", NULL, &t.err), -1);
    cr_assert_str_eq(t.err.detail, "/nonexistent/curlewd.json: No such file or directory");
    t.err = (struct failure){ 0 };
    cr_assert_eq(config_load(&t.config, "/tmp", NULL, &t.err), -1);
    cr_assert_str_eq(t.err.detail, "/tmp: Is a directory");
}

Test(config, a_file_past_16_MiB_is_refused)
{
    cr_assert_eq(truncate(t.path, (16 << 20) + 1), 0);
    cr_assert_eq(config_load(&t.config, t.path, NULL, &t.err), -1);
    cr_assert_not_null(strstr(t.err.detail, ": larger than 16777216 bytes"), "%s", t.err.detail);
}
