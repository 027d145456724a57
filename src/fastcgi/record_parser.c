/* record_parser.c - checks FastCGI records before libfcgi reads them. */

#include "fastcgi/record_parser.h"

#include <fastcgi.h>
#include <string.h>

#define BEGIN_BODY_LEN 8 /* FCGI_BeginRequestBody */

void
record_parser_init(struct record_parser *parser)
{
    size_t stdin_max = parser->stdin_max;

    memset(parser, 0, sizeof *parser);
    parser->stdin_max = stdin_max;
}

void
record_parser_next(struct record_parser *parser)
{
    parser->skipping = parser->phase == PHASE_STDIN;
    parser->phase = PHASE_IDLE;
    parser->stdin_bytes = 0;
    parser->dropping = parser->bytes = false;
    parser->params = (struct params){ 0 };
}

void
record_parser_drop(struct record_parser *parser)
{
    parser->dropping = true;
    parser->pass = false;
}

void
record_parser_pass_bytes(struct record_parser *parser)
{
    parser->bytes = true;
}

void
record_parser_end_stdin(struct record_parser *parser)
{
    parser->phase = PHASE_ANSWERING;
}

bool
record_parser_is_skipping(const struct record_parser *parser)
{
    return parser->skipping;
}

bool
record_parser_is_idle(const struct record_parser *parser)
{
    return parser->phase == PHASE_IDLE && parser->header_len == 0 && parser->content == 0 &&
           parser->padding == 0;
}

bool
record_parser_is_next_request(const struct record_parser *parser, const unsigned char *bytes,
                              size_t n)
{
    bool between = parser->header_len == 0 && parser->content == 0 && parser->padding == 0;

    return parser->phase == PHASE_ANSWERING && between && n >= sizeof parser->header &&
           bytes[0] == FCGI_VERSION_1 && bytes[1] == FCGI_BEGIN_REQUEST &&
           ((unsigned)bytes[2] << 8 | bytes[3]) != parser->id;
}

/* -- answers ------------------------------------------------------------- */

static void
add_record(struct buffer *b, int type, unsigned id, const void *content, size_t n)
{
    const unsigned char header[8] = {
        FCGI_VERSION_1,    (unsigned char)type,     (unsigned char)(id >> 8),
        (unsigned char)id, (unsigned char)(n >> 8), (unsigned char)n,
    };

    buffer_add(b, header, sizeof header);
    buffer_add(b, content, n);
}

static void
answer_end(struct buffer *answers, unsigned id, int protocol_status)
{
    const unsigned char body[8] = { [4] = (unsigned char)protocol_status };

    add_record(answers, FCGI_END_REQUEST, id, body, sizeof body);
}

static void
answer_unknown_type(struct buffer *answers, int type)
{
    const unsigned char body[8] = { (unsigned char)type };

    add_record(answers, FCGI_UNKNOWN_TYPE, 0, body, sizeof body);
}

void
record_parser_hint(const struct record_parser *parser, struct buffer *answers)
{
    add_record(answers, FCGI_STDERR, parser->id, "", 0);
}

void
record_parser_answer(const struct record_parser *parser, const char *text, size_t n,
                     struct buffer *answers)
{
    add_record(answers, FCGI_STDOUT, parser->id, text, n);
    add_record(answers, FCGI_STDOUT, parser->id, "", 0);
    answer_end(answers, parser->id, FCGI_REQUEST_COMPLETE);
}

/* Those of the three variables of section 4.1 that were asked for. */
static void
answer_values(struct record_parser *parser, struct buffer *answers)
{
    static const char *const pairs[][2] = { { FCGI_MAX_CONNS, "65535" },
                                            { FCGI_MAX_REQS, "65535" },
                                            { FCGI_MPXS_CONNS, "0" } };
    unsigned char content[128];
    size_t at = 0;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        size_t n = strlen(pairs[i][0]), m = strlen(pairs[i][1]);

        if (memmem(parser->body, parser->body_len, pairs[i][0], n) == NULL)
            continue;
        content[at++] = (unsigned char)n;
        content[at++] = (unsigned char)m;
        memcpy(content + at, pairs[i][0], n);
        memcpy(content + at + n, pairs[i][1], m);
        at += n + m;
    }
    add_record(answers, FCGI_GET_VALUES_RESULT, 0, content, at);
}

/* -- records ------------------------------------------------------------- */

static int
type_of(const struct record_parser *parser)
{
    return parser->header[1];
}

static unsigned
id_of(const struct record_parser *parser)
{
    return (unsigned)parser->header[2] << 8 | parser->header[3];
}

static bool
is_ours(const struct record_parser *parser)
{
    return parser->phase != PHASE_IDLE && id_of(parser) == parser->id;
}

/* The padding is not passed on, so its length is 0. */
static void
pass_header(const struct record_parser *parser, struct buffer *passed)
{
    buffer_add(passed, parser->header, 6);
    buffer_add(passed, "\0", 2);
}

/* A record header is complete: is the record allowed now, and is it for libfcgi? */
static enum record_event
start_record(struct record_parser *parser, struct buffer *passed)
{
    int type = type_of(parser);

    parser->content = (uint32_t)parser->header[4] << 8 | parser->header[5];
    parser->padding = parser->header[6];
    parser->body_len = 0;
    parser->pass = false;
    if (parser->header[0] != FCGI_VERSION_1 ||
        (type == FCGI_BEGIN_REQUEST && parser->content != BEGIN_BODY_LEN))
        return RECORD_BROKEN;
    if (id_of(parser) == 0)
        return type == FCGI_BEGIN_REQUEST ? RECORD_BROKEN : RECORD_MORE;
    if (!is_ours(parser) || type == FCGI_ABORT_REQUEST)
        return RECORD_MORE;
    if (type == FCGI_PARAMS && parser->phase == PHASE_PARAMS)
        parser->pass = true;
    else if (type == FCGI_STDIN && parser->phase == PHASE_STDIN)
        parser->pass = !parser->dropping;
    else
        return RECORD_BROKEN; /* a second BEGIN_REQUEST, DATA, STDIN too early or too late, … */
    if (parser->pass && !(parser->bytes && type == FCGI_STDIN))
        pass_header(parser, passed);
    return RECORD_MORE;
}

static enum record_event
feed_content(struct record_parser *parser, const char *bytes, size_t n, struct buffer *passed)
{
    size_t room = sizeof parser->body - parser->body_len;

    if (!parser->pass) {
        memcpy(parser->body + parser->body_len, bytes, n < room ? n : room);
        parser->body_len += (uint32_t)(n < room ? n : room);
        return RECORD_MORE;
    }
    if (type_of(parser) == FCGI_PARAMS && !params_feed(&parser->params, bytes, n))
        return RECORD_BROKEN;
    buffer_add(passed, bytes, n);
    if (type_of(parser) == FCGI_STDIN)
        parser->stdin_bytes += n;
    return RECORD_MORE;
}

/* Between requests a BEGIN_REQUEST starts one, if its role is FCGI_RESPONDER. */
static enum record_event
begin(struct record_parser *parser, struct buffer *passed, struct buffer *answers)
{
    bool keep = parser->body[2] & FCGI_KEEP_CONN;

    if (parser->phase != PHASE_IDLE) {
        answer_end(answers, id_of(parser), FCGI_CANT_MPX_CONN);
        return RECORD_MORE;
    }
    if ((parser->body[0] << 8 | parser->body[1]) != FCGI_RESPONDER) {
        answer_end(answers, id_of(parser), FCGI_UNKNOWN_ROLE);
        return keep ? RECORD_MORE : RECORD_CLOSE;
    }
    parser->phase = PHASE_PARAMS;
    parser->skipping = false;
    parser->id = (uint16_t)id_of(parser);
    parser->keep = keep;
    pass_header(parser, passed);
    buffer_add(passed, parser->body, BEGIN_BODY_LEN);
    return RECORD_MORE;
}

/* An empty record ends its stream. */
static enum record_event
end_stream(struct record_parser *parser)
{
    if (type_of(parser) == FCGI_PARAMS) {
        if (!params_between(&parser->params))
            return RECORD_BROKEN;
        parser->phase = PHASE_STDIN;
        return RECORD_PARAMS_DONE;
    }
    parser->phase = PHASE_ANSWERING;
    return RECORD_REQUEST_DONE;
}

static enum record_event
finish_record(struct record_parser *parser, struct buffer *passed, struct buffer *answers)
{
    bool empty = parser->header[4] == 0 && parser->header[5] == 0;

    parser->header_len = 0;
    if (parser->pass) {
        if (empty)
            return end_stream(parser);
        if (parser->bytes || parser->stdin_bytes <= parser->stdin_max)
            return RECORD_MORE;
        record_parser_drop(parser);
        return RECORD_TOO_LARGE;
    }
    if (id_of(parser) == 0) {
        if (type_of(parser) == FCGI_GET_VALUES)
            answer_values(parser, answers);
        else
            answer_unknown_type(answers, type_of(parser));
        return RECORD_MORE;
    }
    if (type_of(parser) == FCGI_BEGIN_REQUEST)
        return begin(parser, passed, answers);
    if (type_of(parser) == FCGI_ABORT_REQUEST && is_ours(parser))
        return RECORD_ABORTED;
    if (parser->skipping && id_of(parser) == parser->id &&
        (type_of(parser) == FCGI_ABORT_REQUEST || (type_of(parser) == FCGI_STDIN && empty)))
        parser->skipping = false;
    /* The end of STDIN matters even where its content is dropped. */
    if (type_of(parser) == FCGI_STDIN && is_ours(parser) && empty) {
        parser->phase = PHASE_ANSWERING;
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

/* Uses bytes of the header, the content or the padding of one record. */
static enum record_event
feed_part(struct record_parser *parser, const char *bytes, size_t n, size_t *used,
          struct buffer *passed)
{
    enum record_event event = RECORD_MORE;

    if (parser->header_len < (int)sizeof parser->header) {
        *used = least(n, sizeof parser->header - (size_t)parser->header_len);
        memcpy(parser->header + parser->header_len, bytes, *used);
        parser->header_len += (int)*used;
        if (parser->header_len == (int)sizeof parser->header)
            event = start_record(parser, passed);
    } else if (parser->content > 0) {
        *used = least(n, parser->content);
        event = feed_content(parser, bytes, *used, passed);
        parser->content -= (uint32_t)*used;
    } else {
        *used = least(n, parser->padding);
        parser->padding -= (uint32_t)*used;
    }
    return event;
}

enum record_event
record_parser_feed(struct record_parser *parser, const char *bytes, size_t n, size_t *used,
                   struct buffer *passed, struct buffer *answers)
{
    enum record_event event = RECORD_MORE;

    *used = 0;
    while (*used < n && event == RECORD_MORE) {
        size_t part;

        event = feed_part(parser, bytes + *used, n - *used, &part, passed);
        *used += part;
        if (event == RECORD_MORE && parser->header_len == (int)sizeof parser->header &&
            parser->content == 0 && parser->padding == 0)
            event = finish_record(parser, passed, answers);
    }
    return event;
}
