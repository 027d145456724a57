/*
 * fuzz_screen.c - any bytes from a web server: the screen lets nothing through that breaks libfcgi,
 * and says the same however the bytes are cut.
 *
 * An odd first byte: what follows is the bytes themselves.  An even one: it is a plan of records.
 */

#include "gateway/fastcgi.h"
#include "gateway/screen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STDIN_MAX 100 /* bytes of a body, before it is too large */
#define BYTES_MAX (1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* -- a plan of records --------------------------------------------------- */

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t
byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static void
add_record(struct buffer *b, int type, int id, const void *content, size_t n, size_t padding)
{
    const char header[8] = { 1, (char)type, 0, (char)id, (char)(n >> 8), (char)n, (char)padding };

    buffer_add(b, header, sizeof header);
    buffer_add(b, content, n);
    for (size_t i = 0; i < padding; i++)
        buffer_addc(b, 'p');
}

/* One name and value as they should be, in one record or in two. */
static void
add_param(struct input *in, struct buffer *b, int id)
{
    char pair[64] = { (char)(byte(in) % 8), (char)(byte(in) % 8) };
    size_t n = 2 + (size_t)pair[0] + (size_t)pair[1], cut = byte(in) % (n + 1);

    for (size_t i = 2; i < n; i++)
        pair[i] = (char)('a' + byte(in) % 26);
    if (cut > 0)
        add_record(b, 4, id, pair, cut, byte(in) % 9);
    if (cut < n)
        add_record(b, 4, id, pair + cut, n - cut, 0);
}

static void
add_anything(struct input *in, struct buffer *b)
{
    char content[256];
    size_t n = byte(in);
    int type = byte(in) % 13, id = byte(in) % 3;

    for (size_t i = 0; i < n; i++)
        content[i] = (char)byte(in);
    add_record(b, type, id, content, n, byte(in) % 9);
}

static void
follow_plan(struct input *in, struct buffer *b)
{
    static const char keep[8] = { 0, 1, 1 }, once[8] = { 0, 1, 0 }, filter[8] = { 0, 3, 1 };

    while (in->left > 0 && b->len < BYTES_MAX / 2) {
        int step = byte(in) % 12, id = 1 + byte(in) % 4 / 3;

        if (step < 2)
            add_record(b, 1, id, step == 0 ? keep : once, 8, 0);
        else if (step == 2)
            add_record(b, 1, id, filter, 8, 0);
        else if (step < 5)
            add_param(in, b, id);
        else if (step == 5)
            add_record(b, 4, id, NULL, 0, 0);
        else if (step < 8)
            add_record(b, 5, id, "some bytes of a body", byte(in) % 21, byte(in) % 9);
        else if (step == 8)
            add_record(b, 5, id, NULL, 0, 0);
        else if (step == 9)
            add_record(b, 2, id, NULL, 0, 0);
        else if (step == 10)
            add_record(b, 9, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
        else
            add_anything(in, b);
    }
}

/* -- one connection ------------------------------------------------------ */

struct side {
    struct screen screen;
    struct buffer in, out, body, trace;
    struct buffer params, sent; /* what has passed of PARAMS and STDIN, by a second reading */
    size_t looked;              /* how far into `in` */
    struct fastcgi *fastcgi;
    size_t taken, answer_at,
        delay; /* bytes in all; when the answer is done; how many after the request */
    bool opened, answering, over;
};

static void
side_open(struct side *s, size_t delay)
{
    memset(s, 0, sizeof *s);
    s->delay = delay;
    screen_init(&s->screen);
    s->screen.stdin_max = STDIN_MAX;
    buffer_init(&s->in, BYTES_MAX);
    buffer_init(&s->out, BYTES_MAX);
    buffer_init(&s->body, BYTES_MAX);
    buffer_init(&s->trace, BYTES_MAX);
    buffer_init(&s->params, BYTES_MAX);
    buffer_init(&s->sent, BYTES_MAX);
    s->fastcgi = fastcgi_new(&s->in, &s->out);
}

static void
side_close(struct side *s)
{
    fastcgi_free(s->fastcgi);
    buffer_free(&s->in);
    buffer_free(&s->out);
    buffer_free(&s->body);
    buffer_free(&s->trace);
    buffer_free(&s->params);
    buffer_free(&s->sent);
}

/* Read what passed, record by record; it is whole whenever there is a verdict other than BROKEN. */
static void
look(struct side *s)
{
    while (s->looked < s->in.len) {
        const unsigned char *r = (const unsigned char *)s->in.data + s->looked;
        size_t n;

        check(s->in.len - s->looked >= 8, "a header is whole");
        n = (size_t)r[4] << 8 | r[5];
        check(r[0] == 1 && r[6] == 0 && r[7] == 0, "version 1, no padding");
        check(r[1] == 1 || r[1] == 4 || r[1] == 5, "BEGIN, PARAMS, STDIN alone");
        check((unsigned)(r[2] << 8 | r[3]) == s->screen.id, "of the one request");
        check(s->in.len - s->looked >= 8 + n, "content is whole");
        buffer_add(r[1] == 4 ? &s->params : r[1] == 5 ? &s->sent : &s->trace, r + 8, n);
        s->looked += 8 + n;
    }
}

static size_t
length_at(const unsigned char *p, size_t *i, size_t n)
{
    size_t length;

    check(*i < n, "a length is there");
    if (p[*i] < 0x80)
        return p[(*i)++];
    check(n - *i >= 4, "a long length is whole");
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

        check(name + value <= n - i, "a pair is whole");
        text = strndup((const char *)p + i, name);
        has = fastcgi_param(s->fastcgi, text);
        check(strlen(text) == name && strchr(text, '=') == NULL, "a name is a name");
        check(has != NULL, "libfcgi has it");
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

    fastcgi_write(s->fastcgi, "Status: 200\r\n\r\n", 15);
    fastcgi_finish(s->fastcgi);
    check(buffer_ok(&s->out) && s->out.len >= before + 16, "an end record");
    end = (const unsigned char *)s->out.data + s->out.len - 16;
    check(end[0] == 1 && end[1] == 3, "the end record is last");
    check((unsigned)(end[2] << 8 | end[3]) == s->screen.id, "it bears the request's id");
    screen_next(&s->screen);
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
    check(!s->opened && !s->answering, "one head a request");
    look(s);
    s->opened = true;
    check(fastcgi_accept(s->fastcgi) == 0, "libfcgi takes the parameters");
    check(s->in.len == 0, "and leaves nothing");
    check(fastcgi_keeps(s->fastcgi) == s->screen.keep, "FCGI_KEEP_CONN");
    check_params(s);
    s->looked = 0;
}

static void
on_complete(struct side *s)
{
    check(s->opened && !s->answering, "a head comes first, and one request is one");
    if (!s->screen.dropping) {
        look(s);
        check(fastcgi_read_body(s->fastcgi, &s->body) == 0, "libfcgi takes the body");
        check(s->body.len == s->sent.len && s->body.len <= STDIN_MAX, "as long as it was sent");
        check(s->body.len == 0 || memcmp(s->body.data, s->sent.data, s->body.len) == 0, "the same");
        buffer_add(&s->trace, s->body.data, s->body.len);
    }
    s->answering = true;
    s->answer_at = s->taken + s->delay;
}

static void
act_on(struct side *s, enum screen_verdict v)
{
    buffer_printf(&s->trace, "[%d]", (int)v);
    if (v == SCREEN_HEAD)
        on_head(s);
    else if (v == SCREEN_COMPLETE)
        on_complete(s);
    else if (v == SCREEN_TOO_LARGE)
        check(s->screen.dropping && s->screen.stdin_bytes > STDIN_MAX, "it was too large");
    else if (v == SCREEN_ABORTED && s->answering)
        s->answer_at = s->taken;
    else if (v == SCREEN_ABORTED && s->opened)
        finish_request(s);
    else if (v != SCREEN_MORE)
        s->over = true;
}

/* As the connection does it, whose answers take their time: the peer may go on meanwhile. */
static void
side_take(struct side *s, const char *bytes, size_t n)
{
    while (n > 0 && !s->over) {
        size_t used, left = s->answer_at - s->taken, piece = s->answering && left < n ? left : n;
        enum screen_verdict v = SCREEN_MORE;

        if (piece == 0) {
            finish_request(s);
            continue;
        }
        v = screen_feed(&s->screen, bytes, piece, &used, &s->in, &s->out);
        check(used <= piece, "no more bytes than there are");
        check(used > 0, "at least one byte");
        check(used == piece || v != SCREEN_MORE, "all bytes, or a verdict");
        check(buffer_ok(&s->in) && buffer_ok(&s->out), "within limits");
        s->taken += used;
        if (v != SCREEN_MORE)
            act_on(s, v);
        bytes += used;
        n -= used;
    }
}

/* -- twice --------------------------------------------------------------- */

static bool
same(const struct buffer *a, const struct buffer *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

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
    check(same(&whole.trace, &cut.trace), "the same verdicts, parameters and bodies");
    check(same(&whole.out, &cut.out), "the same answers");
    side_close(&whole);
    side_close(&cut);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return fastcgi_start();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct buffer bytes;
    uint8_t kind = byte(&in);

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
