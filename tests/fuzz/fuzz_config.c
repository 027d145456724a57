/*
 * fuzz_config.c - any bytes as a configuration: up to the first NUL they are the file, and what
 * stands between further NULs are CURLEW_ variables.
 */

#include "check.h"
#include "message/config_load.h"
#include "message/config_session.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define VARIABLES 8

static void
check(const struct config *c)
{
    if (c->listen_count == 0 || c->socket_mode > 0777 || c->workers < 1 || c->workers > 64)
        abort();
    if (c->engine.threads < 1 || c->engine.limits.in_flight < 1 || c->engine.limits.queue < 0)
        abort();
    if (!c->engine.egress.http && !c->engine.egress.https)
        abort();
    for (size_t i = 0; i < c->engine.session_count; i++)
        if (!config_session_name_valid(c->engine.sessions[i].name))
            abort();
}

/* The pieces after the first NUL, each with the prefix that makes it ours. */
static void
split(char *environment[VARIABLES + 1], const char *text, const char *end)
{
    size_t n = 0;

    for (; text < end && n < VARIABLES; text += strlen(text) + 1) {
        char *variable = malloc(strlen(text) + sizeof "CURLEW_");

        sprintf(variable, "CURLEW_%s", text);
        environment[n++] = variable;
    }
    environment[n] = NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *environment[VARIABLES + 1], path[40], *text = malloc(size + 1);
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct failure err = { 0 };
    struct config c;

    memcpy(text, data, size);
    text[size] = '\0';
    split(environment, text + strlen(text) + 1, text + size);
    if (write(fd, text, strlen(text)) < 0)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    config_init(&c);
    if (config_load(&c, path, environment, &err) == 0)
        check(&c);
    else
        check_refusal(&err);
    config_destroy(&c);
    close(fd);
    for (size_t i = 0; environment[i] != NULL; i++)
        free(environment[i]);
    free(text);
    return 0;
}
