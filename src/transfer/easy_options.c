/* easy_options.c - the options of one easy handle, kept from hop to hop where that is safe. */

#include "transfer/easy_options.h"

#include "libcurl/curl_memory.h"

#include <string.h>

/* -- the rows ----------------------------------------------------------------- */

enum kind {
    WORD,  /* a number or a pointer: compared */
    TEXT,  /* compared where it is short */
    DROP,  /* points to what is made for a hop, or is secret: goes with the hop */
    FRESH, /* text that differs each time: set without a look */
};

#define UNKNOWN INTPTR_MIN /* what a fresh handle has: only a reset brings that back */

/* The option, its kind, and what a fresh handle has. */
#define ROWS(X)                                                                      \
    X(URL, FRESH, UNKNOWN)                                                           \
    X(PRIVATE, WORD, 0)                                                              \
    X(ERRORBUFFER, WORD, 0)                                                          \
    X(PROTOCOLS_STR, TEXT, 0)                                                        \
    X(ACCEPT_ENCODING, WORD, 0)                                                      \
    X(USERAGENT, TEXT, 0)                                                            \
    X(HEADERFUNCTION, WORD, 0)                                                       \
    X(HEADERDATA, WORD, 0)                                                           \
    X(WRITEFUNCTION, WORD, UNKNOWN)                                                  \
    X(WRITEDATA, WORD, UNKNOWN)                                                      \
    X(DEBUGFUNCTION, WORD, 0)                                                        \
    X(DEBUGDATA, WORD, 0)                                                            \
    X(VERBOSE, WORD, 0)                                                              \
    X(OPENSOCKETFUNCTION, WORD, 0)                                                   \
    X(OPENSOCKETDATA, WORD, 0)                                                       \
    X(CLOSESOCKETFUNCTION, WORD, 0)                                                  \
    X(CLOSESOCKETDATA, WORD, 0)                                                      \
    X(PREREQFUNCTION, WORD, 0)                                                       \
    X(PREREQDATA, WORD, 0)                                                           \
    X(RESOLVER_START_FUNCTION, WORD, 0)                                              \
    X(RESOLVER_START_DATA, WORD, 0)                                                  \
    X(XFERINFOFUNCTION, WORD, UNKNOWN)                                               \
    X(XFERINFODATA, WORD, UNKNOWN)                                                   \
    X(NOPROGRESS, WORD, 1)                                                           \
    X(CONNECTTIMEOUT_MS, WORD, 0)                                                    \
    X(MAXAGE_CONN, WORD, UNKNOWN)                                                    \
    X(BUFFERSIZE, WORD, CURL_MAX_WRITE_SIZE)                                         \
    X(QUICK_EXIT, WORD, 0)                                                           \
    X(NOSIGNAL, WORD, 0)                                                             \
    X(PROXY, TEXT, 0)                                                                \
    X(NOPROXY, TEXT, 0)                                                              \
    X(SUPPRESS_CONNECT_HEADERS, WORD, 0)                                             \
    X(SSL_VERIFYPEER, WORD, 1)                                                       \
    X(SSL_VERIFYHOST, WORD, 2)                                                       \
    X(CAINFO, TEXT, UNKNOWN)                                                         \
    X(CA_CACHE_TIMEOUT, WORD, 24 * 3600)                                             \
    X(SSL_SESSIONID_CACHE, WORD, 1)                                                  \
    X(SHARE, DROP, 0)                                                                \
    X(FRESH_CONNECT, WORD, 0)                                                        \
    X(FORBID_REUSE, WORD, 0)                                                         \
    X(PIPEWAIT, WORD, 0)                                                             \
    X(TCP_KEEPALIVE, WORD, 0)                                                        \
    X(TCP_KEEPIDLE, WORD, 60)                                                        \
    X(TCP_KEEPINTVL, WORD, 60)                                                       \
    X(TCP_KEEPCNT, WORD, 9)                                                          \
    X(ADDRESS_SCOPE, WORD, 0)                                                        \
    X(HTTP_VERSION, WORD, UNKNOWN) /* libcurl takes its default for another value */ \
    X(COOKIE, DROP, 0)                                                               \
    X(REFERER, DROP, 0)                                                              \
    X(REQUEST_TARGET, DROP, 0)                                                       \
    X(HTTPHEADER, DROP, 0)                                                           \
    X(NOBODY, DROP, 0)                                                               \
    X(CUSTOMREQUEST, DROP, 0)                                                        \
    X(POSTFIELDSIZE_LARGE, DROP, -1)                                                 \
    X(POSTFIELDS, DROP, 0) /* see undo() */

enum row {
#define X(name, kind, initial) ROW_##name,
    ROWS(X)
#undef X
        ROW_COUNT
};

_Static_assert(ROW_COUNT <= EASY_OPTIONS_MAX, "each row has a bit");

static const struct {
    CURLoption option;
    enum kind kind;
    intptr_t initial;
} rows[] = {
#define X(name, kind, initial) { CURLOPT_##name, kind, initial },
    ROWS(X)
#undef X
};

/* libcurl numbers its options within five types; the row is one less, and 0 is none. */
#define TYPE_SIZE  10000
#define NUMBER_MAX 512

static const unsigned char numbered[CURLOPTTYPE_BLOB / TYPE_SIZE + 1][NUMBER_MAX] = {
#define X(name, kind, initial) \
    [CURLOPT_##name / TYPE_SIZE][CURLOPT_##name % TYPE_SIZE] = ROW_##name + 1,
    ROWS(X)
#undef X
};

/* -1: it has none. */
static int
row_of(CURLoption option)
{
    unsigned type = (unsigned)option / TYPE_SIZE, number = (unsigned)option % TYPE_SIZE;

    if (type >= sizeof numbered / sizeof numbered[0] || number >= NUMBER_MAX)
        return -1;
    return numbered[type][number] - 1;
}

static uint64_t
bit(int row)
{
    return UINT64_C(1) << row;
}

/* The first row in a set that has some. */
static int
lowest(uint64_t set)
{
    return __builtin_ctzll(set);
}

/* Of its text, in texts[]. */
static int
place_of(int row)
{
    static const unsigned char places[ROW_COUNT] = {
        [ROW_PROTOCOLS_STR] = 0, [ROW_USERAGENT] = 1, [ROW_PROXY] = 2,
        [ROW_NOPROXY] = 3,       [ROW_CAINFO] = 4,
    };

    return places[row];
}

/* -- one option ----------------------------------------------------------------- */

static CURLcode
give(CURL *easy, CURLoption option, intptr_t value)
{
    if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
        return curl_easy_setopt(easy, option, (curl_off_t)value);
    if (option < CURLOPTTYPE_OBJECTPOINT)
        return curl_easy_setopt(easy, option, (long)value);
    return curl_easy_setopt(easy, option, (void *)value);
}

/* What values[] says of a text. */
enum { TEXT_NULL, TEXT_KEPT, TEXT_TOO_LONG };

/* A browser's fingerprint may have changed what is not set here. */
static bool
has_already(const struct easy_options *o, int row, intptr_t value)
{
    if ((o->set & bit(row)) == 0)
        return (o->target == NULL || rows[row].kind == DROP) && rows[row].initial == value;
    if (rows[row].kind == WORD)
        return o->values[row] == value;
    if (rows[row].kind != TEXT) /* of one hop: other text may stand where the first one stood */
        return false;
    return value == 0 ? o->values[row] == TEXT_NULL
                      : o->values[row] == TEXT_KEPT &&
                            strcmp(o->texts[place_of(row)], (const char *)value) == 0;
}

static void
remember(struct easy_options *o, int row, intptr_t value)
{
    const char *text = (const char *)value;

    o->set |= bit(row);
    o->values[row] = value;
    if (rows[row].kind != TEXT)
        return;
    o->values[row] = text == NULL                       ? TEXT_NULL
                     : strlen(text) < EASY_OPTIONS_TEXT ? TEXT_KEPT
                                                        : TEXT_TOO_LONG;
    if (o->values[row] == TEXT_KEPT)
        strcpy(o->texts[place_of(row)], text);
}

/* libcurl takes the fields of a POST, also none, for the wish to send one. */
static void
undo(struct easy_options *o, int row)
{
    give(o->easy, rows[row].option, rows[row].initial);
    if (row == ROW_POSTFIELDS)
        curl_easy_setopt(o->easy, CURLOPT_HTTPGET, 1L);
    o->set &= ~bit(row);
}

/* -- the handle ------------------------------------------------------------------- */

void
easy_options_init(struct easy_options *o, CURL *easy)
{
    *o = (struct easy_options){ .easy = easy };
}

static bool
is_dirty(const struct easy_options *o)
{
    return o->set != 0 || o->must_reset || o->target != NULL;
}

/* libcurl's connections, sessions and names are not the handle's. */
void
easy_options_reset(struct easy_options *o)
{
    if (is_dirty(o))
        curl_easy_reset(o->easy);
    easy_options_init(o, o->easy);
    o->is_fresh = true;
}

static bool
is_to_be_reset(const struct easy_options *o)
{
    return is_dirty(o) && (o->must_reset || !o->ended_well);
}

void
easy_options_begin(struct easy_options *o)
{
    if (is_to_be_reset(o))
        easy_options_reset(o);
    o->is_fresh = !is_dirty(o);
    o->is_named = o->ended_well = o->lacks_reset = false;
    o->wanted = 0;
}

bool
easy_options_wears(const struct easy_options *o, const char *target, bool default_headers)
{
    return o->target == target && (target == NULL || o->default_headers == default_headers);
}

void
easy_options_wear(struct easy_options *o, const char *target, bool default_headers)
{
    o->target = target;
    o->default_headers = default_headers;
}

/* Without a row: on a handle that others have used, it would have to be reset first. */
static CURLcode
set_unkept(struct easy_options *o, CURLoption option, intptr_t value)
{
    if (!o->is_fresh && !o->is_named) {
        o->lacks_reset = true;
        return CURLE_OK;
    }
    o->must_reset = true;
    return give(o->easy, option, value);
}

CURLcode
easy_options_set(struct easy_options *o, CURLoption option, intptr_t value)
{
    int row = row_of(option);
    CURLcode rc;

    if (row < 0)
        return set_unkept(o, option, value);
    o->wanted |= bit(row);
    if (has_already(o, row, value))
        return CURLE_OK;
    rc = give(o->easy, option, value);
    if (rc == CURLE_OK)
        remember(o, row, value);
    else
        o->must_reset = true; /* whatever it has now */
    return rc;
}

bool
easy_options_end(struct easy_options *o)
{
    uint64_t left = o->set & ~o->wanted;

    for (; left != 0 && !o->lacks_reset; left &= left - 1) {
        int row = lowest(left);

        if (rows[row].initial == UNKNOWN)
            o->lacks_reset = true;
        else
            undo(o, row);
    }
    o->is_named = true;
    return !o->lacks_reset;
}

void
easy_options_on_good_end(struct easy_options *o)
{
    o->ended_well = true;
}

void
easy_options_drop(struct easy_options *o)
{
    static const uint64_t dropped = 0
#define X(name, kind, initial) | ((uint64_t)(kind == DROP) << ROW_##name)
        ROWS(X)
#undef X
        ;

    for (uint64_t left = o->set & dropped; left != 0; left &= left - 1)
        undo(o, lowest(left));
}

bool
easy_options_try_keep(struct easy_options *o)
{
    uint64_t failures = curl_memory_failures();

    if (is_to_be_reset(o))
        easy_options_reset(o);
    return curl_memory_failures() == failures;
}
