/*
 * fuzz_record_parser.c - any bytes from a web server: the parser passes nothing on that breaks
 * libfcgi, and reports the same events however the bytes are cut.
 *
 * An odd first byte: what follows is the bytes themselves.  An even one: it is a plan of records.
 */

#include "fastcgi/libfcgi_codec.h"
#include "fastcgi/record_parser.h"
#include "fuzz_input.h"
#include "record_plan.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STDIN_MAX 100 /* bytes of a body, before it is too large */
#define BYTES_MAX (1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct buffer *a, const struct buffer *b, const char *what)
{
    check_holds(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0), what);
}

/* -- one connection ------------------------------------------------------ */

struct side {
    struct record_parser parser;
    struct buffer in, out, body, trace;
    struct buffer params, sent; /* what has passed of PARAMS and STDIN, by a second reading */
    size_t looked;              /* how far into `in` */
    struct libfcgi_codec *codec;
    /* Bytes in all; when the answer is done; how many after the request. */
    size_t taken, answer_at, delay;
    bool opened, answering, over;
};

static void
side_open(struct side *s, size_t delay)
{
    memset(s, 0, sizeof *s);
    s->delay = delay;
    record_parser_init(&s->parser);
    s->parser.stdin_max = STDIN_MAX;
    buffer_init(&s->in, BYTES_MAX);
    buffer_init(&s->out, BYTES_MAX);
    buffer_init(&s->body, BYTES_MAX);
    buffer_init(&s->trace, BYTES_MAX);
    buffer_init(&s->params, BYTES_MAX);
    buffer_init(&s->sent, BYTES_MAX);
    s->codec = libfcgi_codec_new(&s->in, &s->out);
}

static void
side_close(struct side *s)
{
    libfcgi_codec_free(s->codec);
    buffer_free(&s->in);
    buffer_free(&s->out);
    buffer_free(&s->body);
    buffer_free(&s->trace);
    buffer_free(&s->params);
    buffer_free(&s->sent);
}

/* Read what passed, record by record; it is whole whenever there is an event other than BROKEN. */
static void
look(struct side *s)
{
    while (s->looked < s->in.len) {
        const unsigned char *r = (const unsigned char *)s->in.data + s->looked;
        size_t n;

        check_holds(s->in.len - s->looked >= 8, "a header is whole");
        n = (size_t)r[4] << 8 | r[5];
        check_holds(r[0] == FCGI_VERSION_1 && r[6] == 0 && r[7] == 0, "version 1, no padding");
        check_holds(r[1] == FCGI_BEGIN_REQUEST || r[1] == FCGI_PARAMS || r[1] == FCGI_STDIN,
                    "BEGIN, PARAMS, STDIN alone");
        check_holds((unsigned)(r[2] << 8 | r[3]) == s->parser.id, "of the one request");
        check_holds(s->in.len - s->looked >= 8 + n, "content is whole");
        buffer_add(r[1] == FCGI_PARAMS  ? &s->params
                   : r[1] == FCGI_STDIN ? &s->sent
                                        : &s->trace,
                   r + 8, n);
        s->looked += 8 + n;
    }
}

static size_t
length_at(const unsigned char *p, size_t *i, size_t n)
{
    size_t length;

    check_holds(*i < n, "a length is there");
    if (p[*i] < 0x80)
        return p[(*i)++];
    check_holds(n - *i >= 4, "a long length is whole");
    length =
        (size_t)(p[*i] & 0x7f) << 24 | (size_t)p[*i + 1] << 16 | (size_t)p[*i + 2] << 8 | p[*i + 3];
    *i += 4;
    return length;
}

/* libfcgi has each parameter as it was sent; of two of one name, the first. */
static void
check_params(struct side *s)
{
    const unsigned char *p = (const unsigned char *)s->params.data;
    size_t i = 0, n = s->params.len;

    while (i < n) {
        size_t name = length_at(p, &i, n), value = length_at(p, &i, n);
        char *text;
        const char *has;

        check_holds(name + value <= n - i, "a pair is whole");
        text = strndup((const char *)p + i, name);
        has = libfcgi_codec_param(s->codec, text);
        check_holds(strlen(text) == name && strchr(text, '=') == NULL, "a name is a name");
        check_holds(has != NULL, "libfcgi has it");
        buffer_adds(&s->trace, text);
        buffer_adds(&s->trace, has);
        free(text);
        i += name + value;
    }
}

static void
finish_request(struct side *s)
{
    const unsigned char *end;
    size_t before = s->out.len;

    libfcgi_codec_write(s->codec, "Status: 200\r\n\r\n", 15);
    libfcgi_codec_finish(s->codec);
    check_holds(buffer_ok(&s->out) && s->out.len >= before + 16, "an end record");
    end = (const unsigned char *)s->out.data + s->out.len - 16;
    check_holds(end[0] == FCGI_VERSION_1 && end[1] == FCGI_END_REQUEST, "the end record is last");
    check_holds((unsigned)(end[2] << 8 | end[3]) == s->parser.id, "it bears the request's id");
    record_parser_next(&s->parser);
    buffer_clear(&s->in);
    buffer_clear(&s->body);
    buffer_clear(&s->params);
    buffer_clear(&s->sent);
    s->looked = 0;
    s->opened = s->answering = false;
}

static void
on_head(struct side *s)
{
    check_holds(!s->opened && !s->answering, "one head a request");
    look(s);
    s->opened = true;
    check_holds(libfcgi_codec_accept(s->codec) == 0, "libfcgi takes the parameters");
    check_holds(s->in.len == 0, "and leaves nothing");
    check_holds(libfcgi_codec_keeps_connection(s->codec) == s->parser.keep, "FCGI_KEEP_CONN");
    check_params(s);
    s->looked = 0;
    if (s->delay % 4 == 3)
        record_parser_pass_bytes(&s->parser);
}

/* Of STDIN nothing but its bytes, of any number. */
static void
take_bytes(struct side *s)
{
    check_holds(s->in.len == s->parser.stdin_bytes, "all that has come");
    buffer_add(&s->trace, s->in.data, s->in.len);
}

static void
on_complete(struct side *s)
{
    check_holds(s->opened && !s->answering, "a head comes first, and one request is one");
    if (s->parser.bytes) {
        take_bytes(s);
    } else if (!s->parser.dropping) {
        look(s);
        check_holds(libfcgi_codec_read_body(s->codec, &s->body) == 0, "libfcgi takes the body");
        check_holds(s->body.len <= STDIN_MAX, "within its limit");
        check_same(&s->body, &s->sent, "the body as it was sent");
        buffer_add(&s->trace, s->body.data, s->body.len);
    }
    s->answering = true;
    s->answer_at = s->taken + s->delay;
}

static void
act_on(struct side *s, enum record_event event)
{
    buffer_printf(&s->trace, "[%d]", (int)event);
    if (event == RECORD_PARAMS_DONE)
        on_head(s);
    else if (event == RECORD_REQUEST_DONE)
        on_complete(s);
    else if (event == RECORD_TOO_LARGE)
        check_holds(s->parser.dropping && !s->parser.bytes && s->parser.stdin_bytes > STDIN_MAX,
                    "it was too large");
    else if (event == RECORD_ABORTED && s->answering)
        s->answer_at = s->taken;
    else if (event == RECORD_ABORTED && s->opened)
        finish_request(s);
    else if (event != RECORD_MORE)
        s->over = true;
}

/* As the connection does it, whose answers take their time: the peer may go on meanwhile. */
static void
side_take(struct side *s, const char *bytes, size_t n)
{
    while (n > 0 && !s->over) {
        size_t used, left = s->answer_at - s->taken, piece = s->answering && left < n ? left : n;
        enum record_event event = RECORD_MORE;

        if (piece == 0) {
            finish_request(s);
            continue;
        }
        event = record_parser_feed(&s->parser, bytes, piece, &used, &s->in, &s->out);
        check_holds(used > 0 && used <= piece, "some of the bytes");
        check_holds(used == piece || event != RECORD_MORE, "all bytes, or an event");
        check_holds(buffer_ok(&s->in) && buffer_ok(&s->out), "within limits");
        s->taken += used;
        if (event != RECORD_MORE)
            act_on(s, event);
        bytes += used;
        n -= used;
    }
}

/* -- twice --------------------------------------------------------------- */

static void
cut_and_compare(const char *bytes, size_t n, unsigned seed)
{
    struct side whole, cut;

    side_open(&whole, seed / 2 % 64);
    side_open(&cut, seed / 2 % 64);
    side_take(&whole, bytes, n);
    for (size_t at = 0, piece; at < n; at += piece) {
        seed = seed * 1103515245 + 12345;
        piece = 1 + (seed >> 16) % (seed & 1 ? 3 : 40);
        piece = piece < n - at ? piece : n - at;
        side_take(&cut, bytes + at, piece);
    }
    check_same(&whole.trace, &cut.trace, "the same events, parameters and bodies");
    check_same(&whole.out, &cut.out, "the same answers");
    side_close(&whole);
    side_close(&cut);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return libfcgi_codec_start();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct buffer bytes;
    uint8_t kind = take_byte(&in);

    buffer_init(&bytes, BYTES_MAX);
    if (kind & 1)
        buffer_add(&bytes, in.at, in.left);
    else
        follow_plan(&in, &bytes);
    if (bytes.len > 0)
        cut_and_compare(bytes.data, bytes.len, kind);
    buffer_free(&bytes);
    return 0;
}
