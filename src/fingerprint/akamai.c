/* akamai.c - Akamai's text for an HTTP/2 client. */

#include "fingerprint/akamai.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FIELDS       4
#define SETTINGS_MAX 8 /* of libcurl-impersonate, which leaves out the others */
#define STREAMS_MAX  32

#define WINDOW_INITIAL 65535 /* RFC 9113 section 6.9.2 */
#define WINDOW_MAX     INT32_MAX

/*
 * What RFC 9113 section 6.5.2 allows, and no more than libcurl should hold for one stream that is
 * stopped: Chrome's window is 6 MiB, OkHttp's 16 MiB.
 */
static const struct setting {
    uint64_t id, min, max;
} settings[] = {
    { 1, 0, 1 << 20 }, /* HEADER_TABLE_SIZE */
    { 2, 0, 1 },       /* ENABLE_PUSH */
    { 3, 0, UINT32_MAX },
    { 4, 0, 16 << 20 }, /* INITIAL_WINDOW_SIZE */
    { 5, 16384, 16777215 },
    { 6, 0, UINT32_MAX },
    { 8, 0, 1 }, /* ENABLE_CONNECT_PROTOCOL, RFC 8441 */
    { 9, 0, 1 }, /* NO_RFC7540_PRIORITIES, RFC 9218 */
};

/* A decimal number of at most ten digits; -1: there is none, or it has zeros in front. */
static int64_t
read_number(const char **at)
{
    const char *from = *at;
    int64_t n = 0;

    for (; isdigit((unsigned char)**at) && *at - from < 10; ++*at)
        n = n * 10 + (**at - '0');
    if (*at == from || isdigit((unsigned char)**at) || (*from == '0' && *at - from > 1))
        return -1;
    return n;
}

static const struct setting *
find_setting(int64_t id)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (settings[i].id == (uint64_t)id)
            return &settings[i];
    return NULL;
}

/* "id:value" */
static int
read_setting(const char **at, struct failure *err)
{
    int64_t id = read_number(at), value = -1;
    const struct setting *s;

    if (id >= 0 && **at == ':') {
        ++*at;
        value = read_number(at);
    }
    if (value < 0)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "settings: expected id:value with \";\" between");
    if ((s = find_setting(id)) == NULL)
        return failure_set(err, ERROR_BAD_REQUEST, "setting %" PRId64 " is not known", id);
    if ((uint64_t)value < s->min || (uint64_t)value > s->max)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "setting %" PRId64 ": expected %" PRIu64 " to %" PRIu64, id, s->min,
                           s->max);
    return 0;
}

/* To libcurl's form: some write them with "," between. */
static void
copy_settings(char *to, const char *from, const char *end)
{
    for (; from < end; from++)
        *to++ = *from == ',' ? ';' : *from;
    *to = '\0';
}

static int
read_settings(struct akamai *a, const char **at, struct failure *err)
{
    const char *from = *at;

    for (int count = 1;; count++, ++*at) {
        if (read_setting(at, err) != 0)
            return -1;
        if (count > SETTINGS_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "over %d settings", SETTINGS_MAX);
        if (**at != ';' && **at != ',')
            break;
    }
    copy_settings(a->settings, from, *at);
    return **at == '|' ? 0
                       : failure_set(err, ERROR_BAD_REQUEST,
                                     "settings: expected id:value with \";\" between");
}

static int
read_window(struct akamai *a, const char **at, struct failure *err)
{
    int64_t n;

    *at += strncmp(*at, "00|", 3) == 0; /* as Akamai writes "none" */
    n = read_number(at);
    if (n < 0 || n > WINDOW_MAX - WINDOW_INITIAL || **at != '|')
        return failure_set(err, ERROR_BAD_REQUEST, "window update: expected 0 to %d",
                           WINDOW_MAX - WINDOW_INITIAL);
    a->window_update = (long)n;
    return 0;
}

/* "stream:exclusive:depends:weight" */
static int
read_stream(const char **at, struct failure *err)
{
    static const int64_t min[] = { 1, 0, 0, 1 }, max[] = { INT32_MAX, 1, INT32_MAX, 256 };

    for (size_t i = 0; i < 4; i++) {
        int64_t n = read_number(at);

        if (n < min[i] || n > max[i] || (i < 3 && *(*at)++ != ':'))
            return failure_set(err, ERROR_BAD_REQUEST,
                               "priorities: expected 0, or stream:exclusive:depends:weight with "
                               "\",\" between");
    }
    return 0;
}

static int
read_streams(struct akamai *a, const char **at, struct failure *err)
{
    const char *from = *at;

    a->streams[0] = '\0';
    if (strncmp(*at, "0|", 2) == 0) {
        ++*at;
        return 0;
    }
    for (int count = 1;; count++, ++*at) {
        if (read_stream(at, err) != 0)
            return -1;
        if (count > STREAMS_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "over %d priorities", STREAMS_MAX);
        if (**at != ',')
            break;
    }
    memcpy(a->streams, from, (size_t)(*at - from));
    a->streams[*at - from] = '\0';
    return **at == '|' ? 0
                       : failure_set(err, ERROR_BAD_REQUEST, "priorities: expected \"|\" behind");
}

int
akamai_read_pseudo(char pseudo[5], const char *text, size_t size, struct failure *err)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == ',' && i > 0 && i + 1 < size && text[i - 1] != ',')
            continue;
        if (count == 4 || text[i] == '\0' || strchr("masp", text[i]) == NULL ||
            memchr(pseudo, text[i], count) != NULL)
            count = 5; /* also past the end */
        if (count == 5)
            break;
        pseudo[count++] = text[i];
    }
    if (count != 4)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "pseudo headers: expected m, a, s and p, each once");
    pseudo[4] = '\0';
    return 0;
}

int
akamai_parse(struct akamai *a, const char *text, struct failure *err)
{
    int fields = 1;

    for (const char *p = text; *p != '\0'; p++)
        fields += *p == '|';
    if (fields != FIELDS)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "expected settings|window update|priorities|pseudo headers; these are "
                           "%d of 4 fields",
                           fields);
    if (strlen(text) >= AKAMAI_BYTES_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d bytes", AKAMAI_BYTES_MAX - 1);
    if (read_settings(a, &text, err) != 0)
        return -1;
    text++;
    if (read_window(a, &text, err) != 0)
        return -1;
    text++;
    if (read_streams(a, &text, err) != 0)
        return -1;
    text++;
    return akamai_read_pseudo(a->pseudo, text, strlen(text), err);
}
