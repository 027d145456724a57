/* perk.c - curl_cffi's text for an HTTP/3 client. */

#include "fingerprint/perk.h"

#include "fingerprint/akamai.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEMS_MAX  32
#define DIGITS_MAX 18 /* below QUIC's 2^62 */

#define DIGITS "0123456789"
#define VALUES DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@,"

/* What libcurl should hold for one stream that is stopped, and for a connection. */
#define STREAM_WINDOW_MAX     (16 << 20)
#define CONNECTION_WINDOW_MAX (64 << 20)
#define TABLE_MAX             (1 << 20)

struct part {
    const char *name;
    int64_t (*largest)(int64_t id);
    bool has_words;
};

/* RFC 9204 section 5, RFC 9114 section 7.2.4.1 */
static int64_t
largest_setting(int64_t id)
{
    return id == 1 ? TABLE_MAX : INT64_MAX;
}

/* RFC 9000 section 18.2: initial_max_data, and initial_max_stream_data_… */
static int64_t
largest_parameter(int64_t id)
{
    return id == 4 ? CONNECTION_WINDOW_MAX : id >= 5 && id <= 7 ? STREAM_WINDOW_MAX : INT64_MAX;
}

static const struct part settings = { "settings", largest_setting, false };
static const struct part parameters = { "transport parameters", largest_parameter, true };

/* A number; that of a transport parameter may also be a word, or bytes in hex. */
static int
check_value(const struct part *part, int64_t id, const char *value, size_t size,
            struct failure *err)
{
    bool digits = strspn(value, DIGITS) >= size && size > 0;
    int64_t max = part->largest(id);

    if (digits && size <= DIGITS_MAX && strtoll(value, NULL, 10) <= max)
        return 0;
    if (!digits && part->has_words && max == INT64_MAX && strspn(value, VALUES) >= size)
        return 0;
    return failure_set(err, ERROR_BAD_REQUEST, "%s: %" PRId64 ": expected 0 to %" PRId64,
                       part->name, id, max);
}

/* "GREASE", "id:value" or, of a transport parameter, "id". */
static int
check_item(const struct part *part, const char *item, size_t size, struct failure *err)
{
    size_t digits = strspn(item, DIGITS);
    bool alone = digits == size && part->has_words;

    if (size == 6 && strncasecmp(item, "GREASE", 6) == 0)
        return 0;
    if (digits == 0 || digits > DIGITS_MAX || (!alone && (digits >= size || item[digits] != ':')))
        return failure_set(err, ERROR_BAD_REQUEST,
                           "%s: expected GREASE or id:value with \";\" between", part->name);
    return alone ? 0
                 : check_value(part, strtoll(item, NULL, 10), item + digits + 1, size - digits - 1,
                               err);
}

/* `size` bytes, which may be none. */
static int
read_items(char *to, const struct part *part, const char *text, size_t size, struct failure *err)
{
    const char *at = text, *end = text + size;

    for (int count = 1; at < end; count++) {
        size_t n = strcspn(at, ";|");

        if (check_item(part, at, n, err) != 0)
            return -1;
        if (count > ITEMS_MAX)
            return failure_set(err, ERROR_BAD_REQUEST, "%s: over %d", part->name, ITEMS_MAX);
        at += n + (at[n] == ';');
    }
    memcpy(to, text, size);
    to[size] = '\0';
    return 0;
}

int
perk_parse(struct perk *p, const char *text, struct failure *err)
{
    const char *pseudo = strchr(text, '|');
    const char *last = pseudo != NULL ? strchr(pseudo + 1, '|') : NULL;

    if (last == NULL || strchr(last + 1, '|') != NULL)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "expected settings|pseudo headers|transport parameters");
    if (strlen(text) >= PERK_BYTES_MAX)
        return failure_set(err, ERROR_BAD_REQUEST, "over %d bytes", PERK_BYTES_MAX - 1);
    if (read_items(p->settings, &settings, text, (size_t)(pseudo - text), err) != 0 ||
        akamai_read_pseudo(p->pseudo, pseudo + 1, (size_t)(last - pseudo) - 1, err) != 0)
        return -1;
    return read_items(p->parameters, &parameters, last + 1, strlen(last + 1), err);
}
