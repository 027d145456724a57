/* record_parser.c - what libfcgi may see of what a peer sends. */

#include "fastcgi/record_parser.h"

#include <string.h>

enum { /* record types, FastCGI 1.0 section 8 */
       BEGIN_REQUEST = 1,
       ABORT_REQUEST = 2,
       END_REQUEST = 3,
       PARAMS = 4,
       STDIN = 5,
       GET_VALUES = 9,
       GET_VALUES_RESULT = 10,
       UNKNOWN_TYPE = 11,
};

enum { CANT_MPX_CONN = 1, UNKNOWN_ROLE = 3 }; /* protocolStatus, section 5.5 */

#define VERSION_1  1
#define RESPONDER  1
#define KEEP_CONN  1
#define BEGIN_SIZE 8

void
record_parser_init(struct record_parser *s)
{
    size_t stdin_max = s->stdin_max;

    memset(s, 0, sizeof *s);
    s->stdin_max = stdin_max;
}

void
record_parser_next(struct record_parser *s)
{
    s->phase = PHASE_IDLE;
    s->stdin_bytes = 0;
    s->dropping = false;
    s->params = (struct params){ 0 };
}

void
record_parser_drop(struct record_parser *s)
{
    s->dropping = true;
    s->pass = false;
}

bool
record_parser_is_idle(const struct record_parser *s)
{
    return s->phase == PHASE_IDLE && s->header_len == 0 && s->content == 0 && s->padding == 0;
}

bool
record_parser_is_next_request(const struct record_parser *s, const unsigned char *bytes, size_t n)
{
    bool between = s->header_len == 0 && s->content == 0 && s->padding == 0;

    return s->phase == PHASE_ANSWERING && between && n >= sizeof s->header &&
           bytes[0] == VERSION_1 && bytes[1] == BEGIN_REQUEST &&
           ((unsigned)bytes[2] << 8 | bytes[3]) != s->id;
}

/* -- answers ------------------------------------------------------------- */

static void
add_record(struct buffer *b, int type, unsigned id, const void *content, size_t n)
{
    const unsigned char header[8] = {
        VERSION_1,         (unsigned char)type,     (unsigned char)(id >> 8),
        (unsigned char)id, (unsigned char)(n >> 8), (unsigned char)n,
    };

    buffer_add(b, header, sizeof header);
    buffer_add(b, content, n);
}

static void
answer_end(struct buffer *answers, unsigned id, int protocol_status)
{
    const unsigned char body[8] = { [4] = (unsigned char)protocol_status };

    add_record(answers, END_REQUEST, id, body, sizeof body);
}

static void
answer_unknown_type(struct buffer *answers, int type)
{
    const unsigned char body[8] = { (unsigned char)type };

    add_record(answers, UNKNOWN_TYPE, 0, body, sizeof body);
}

/* The three variables of section 4.1, as far as they were asked for. */
static void
answer_values(struct record_parser *s, struct buffer *answers)
{
    static const char *const pairs[][2] = { { "FCGI_MAX_CONNS", "65535" },
                                            { "FCGI_MAX_REQS", "65535" },
                                            { "FCGI_MPXS_CONNS", "0" } };
    struct buffer b;

    buffer_init(&b, sizeof s->body);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        size_t n = strlen(pairs[i][0]);

        if (memmem(s->body, s->body_len, pairs[i][0], n) == NULL)
            continue;
        buffer_addc(&b, (char)n);
        buffer_addc(&b, (char)strlen(pairs[i][1]));
        buffer_adds(&b, pairs[i][0]);
        buffer_adds(&b, pairs[i][1]);
    }
    add_record(answers, GET_VALUES_RESULT, 0, b.data, b.len);
    buffer_free(&b);
}

/* -- records ------------------------------------------------------------- */

static int
type_of(const struct record_parser *s)
{
    return s->header[1];
}

static unsigned
id_of(const struct record_parser *s)
{
    return (unsigned)s->header[2] << 8 | s->header[3];
}

static bool
is_ours(const struct record_parser *s)
{
    return s->phase != PHASE_IDLE && id_of(s) == s->id;
}

/* Without its padding, which stays here. */
static void
pass_header(const struct record_parser *s, struct buffer *passed)
{
    buffer_add(passed, s->header, 6);
    buffer_add(passed, "\0", 2);
}

/* A record header is whole: is the record allowed here, and is it libfcgi's? */
static enum record_event
start_record(struct record_parser *s, struct buffer *passed)
{
    int type = type_of(s);

    s->content = (uint32_t)s->header[4] << 8 | s->header[5];
    s->padding = s->header[6];
    s->body_len = 0;
    s->pass = false;
    if (s->header[0] != VERSION_1 || (type == BEGIN_REQUEST && s->content != BEGIN_SIZE))
        return RECORD_BROKEN;
    if (id_of(s) == 0)
        return type == BEGIN_REQUEST ? RECORD_BROKEN : RECORD_MORE;
    if (!is_ours(s) || type == ABORT_REQUEST)
        return RECORD_MORE;
    if (type == PARAMS && s->phase == PHASE_PARAMS)
        s->pass = true;
    else if (type == STDIN && s->phase == PHASE_STDIN)
        s->pass = !s->dropping;
    else
        return RECORD_BROKEN; /* a second BEGIN_REQUEST, DATA, STDIN before or after its time, … */
    if (s->pass)
        pass_header(s, passed);
    return RECORD_MORE;
}

static enum record_event
feed_content(struct record_parser *s, const char *bytes, size_t n, struct buffer *passed)
{
    size_t room = sizeof s->body - s->body_len;

    if (!s->pass) {
        memcpy(s->body + s->body_len, bytes, n < room ? n : room);
        s->body_len += (uint32_t)(n < room ? n : room);
        return RECORD_MORE;
    }
    if (type_of(s) == PARAMS && !params_feed(&s->params, bytes, n))
        return RECORD_BROKEN;
    buffer_add(passed, bytes, n);
    if (type_of(s) == STDIN)
        s->stdin_bytes += n;
    return RECORD_MORE;
}

/* Between requests a BEGIN_REQUEST starts one, if it asks for a responder. */
static enum record_event
begin(struct record_parser *s, struct buffer *passed, struct buffer *answers)
{
    bool keep = s->body[2] & KEEP_CONN;

    if (s->phase != PHASE_IDLE) {
        answer_end(answers, id_of(s), CANT_MPX_CONN);
        return RECORD_MORE;
    }
    if ((s->body[0] << 8 | s->body[1]) != RESPONDER) {
        answer_end(answers, id_of(s), UNKNOWN_ROLE);
        return keep ? RECORD_MORE : RECORD_CLOSE;
    }
    s->phase = PHASE_PARAMS;
    s->id = (uint16_t)id_of(s);
    s->keep = keep;
    pass_header(s, passed);
    buffer_add(passed, s->body, BEGIN_SIZE);
    return RECORD_MORE;
}

/* An empty record ends its stream. */
static enum record_event
end_stream(struct record_parser *s)
{
    if (type_of(s) == PARAMS) {
        if (!params_between(&s->params))
            return RECORD_BROKEN;
        s->phase = PHASE_STDIN;
        return RECORD_PARAMS_DONE;
    }
    s->phase = PHASE_ANSWERING;
    return RECORD_REQUEST_DONE;
}

static enum record_event
finish_record(struct record_parser *s, struct buffer *passed, struct buffer *answers)
{
    bool empty = s->header[4] == 0 && s->header[5] == 0;

    s->header_len = 0;
    if (s->pass) {
        if (empty)
            return end_stream(s);
        if (s->stdin_bytes <= s->stdin_max)
            return RECORD_MORE;
        record_parser_drop(s);
        return RECORD_TOO_LARGE;
    }
    if (id_of(s) == 0) {
        if (type_of(s) == GET_VALUES)
            answer_values(s, answers);
        else
            answer_unknown_type(answers, type_of(s));
        return RECORD_MORE;
    }
    if (type_of(s) == BEGIN_REQUEST)
        return begin(s, passed, answers);
    if (type_of(s) == ABORT_REQUEST && is_ours(s))
        return RECORD_ABORTED;
    if (type_of(s) == STDIN && is_ours(s) && empty) { /* of what is dropped, too, the end matters */
        s->phase = PHASE_ANSWERING;
        return RECORD_REQUEST_DONE;
    }
    return RECORD_MORE;
}

/* -- bytes --------------------------------------------------------------- */

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The header, the content or the padding of one record, as much of it as is there. */
static enum record_event
feed_part(struct record_parser *s, const char *bytes, size_t n, size_t *used, struct buffer *passed)
{
    enum record_event v = RECORD_MORE;

    if (s->header_len < (int)sizeof s->header) {
        *used = least(n, sizeof s->header - (size_t)s->header_len);
        memcpy(s->header + s->header_len, bytes, *used);
        s->header_len += (int)*used;
        if (s->header_len == (int)sizeof s->header)
            v = start_record(s, passed);
    } else if (s->content > 0) {
        *used = least(n, s->content);
        v = feed_content(s, bytes, *used, passed);
        s->content -= (uint32_t)*used;
    } else {
        *used = least(n, s->padding);
        s->padding -= (uint32_t)*used;
    }
    return v;
}

enum record_event
record_parser_feed(struct record_parser *s, const char *bytes, size_t n, size_t *used,
                   struct buffer *passed, struct buffer *answers)
{
    enum record_event v = RECORD_MORE;

    *used = 0;
    while (*used < n && v == RECORD_MORE) {
        size_t part;

        v = feed_part(s, bytes + *used, n - *used, &part, passed);
        *used += part;
        if (v == RECORD_MORE && s->header_len == (int)sizeof s->header && s->content == 0 &&
            s->padding == 0)
            v = finish_record(s, passed, answers);
    }
    return v;
}
