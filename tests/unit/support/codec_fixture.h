/*
 * codec_fixture.h - libfcgi over memory, as a connection uses it, and what a web server reads of
 * its responses.
 */
#ifndef SUPPORT_CODEC_FIXTURE_H
#define SUPPORT_CODEC_FIXTURE_H

#include "fastcgi/libfcgi_codec.h"
#include "support/fcgi_records.h"

#include <criterion/criterion.h>

static struct buffer in, out;
static struct libfcgi_codec *side;

static inline void
side_open(void)
{
    buffer_init(&in, 1 << 24);
    buffer_init(&out, 1 << 24);
    cr_assert_eq(libfcgi_codec_start(), 0);
    side = libfcgi_codec_new(&in, &out);
    cr_assert_not_null(side);
}

static inline void
side_close(void)
{
    libfcgi_codec_free(side);
    buffer_free(&in);
    buffer_free(&out);
}

/* A request with these parameters, a NULL after the last value; up to the end of PARAMS. */
static inline void
side_accept(const char *const *params)
{
    begin(&in, 1, FCGI_RESPONDER, true);
    for (; *params != NULL; params += 2)
        param(&in, 1, params[0], params[1]);
    end_of(&in, FCGI_PARAMS, 1);
    cr_assert_eq(libfcgi_codec_accept(side), 0);
}

#define SIDE_ACCEPT(...) side_accept((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

struct answer { /* what a web server makes of `out` */
    struct buffer text;
    int id, ends, app_status, protocol_status, empty_stdouts;
};

/* Every record is whole, of version 1 and of one request; the caller frees the text. */
static inline void
side_read_answer(struct answer *a)
{
    const unsigned char *r = (const unsigned char *)out.data;
    size_t left = out.len;

    *a = (struct answer){ .id = -1 };
    buffer_init(&a->text, 1 << 24);
    while (left > 0) {
        size_t n, all;

        cr_assert_geq(left, 8);
        n = (size_t)r[4] << 8 | r[5];
        all = 8 + n + r[6];
        cr_assert_geq(left, all);
        cr_assert_eq(r[0], 1);
        cr_assert(a->id == -1 || a->id == (r[2] << 8 | r[3]));
        cr_assert(r[1] == FCGI_STDOUT || r[1] == FCGI_END_REQUEST || r[1] == FCGI_STDERR, "type %d",
                  r[1]);
        cr_assert_eq(a->ends, 0, "nothing follows the end");
        a->id = r[2] << 8 | r[3];
        if (r[1] == FCGI_STDOUT)
            buffer_add(&a->text, r + 8, n);
        a->empty_stdouts += r[1] == FCGI_STDOUT && n == 0;
        if (r[1] == FCGI_END_REQUEST) {
            a->ends++;
            a->app_status = r[8] << 24 | r[9] << 16 | r[10] << 8 | r[11];
            a->protocol_status = r[12];
        }
        r += all;
        left -= all;
    }
}

#endif
