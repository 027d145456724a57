/* codec_fixture.c - libfcgi over memory, and what a web server reads of its responses. */

#include "support/codec_fixture.h"

#include "support/fcgi_records.h"

#include <criterion/criterion.h>

void
codec_fixture_open(struct codec_fixture *t)
{
    buffer_init(&t->in, 1 << 24);
    buffer_init(&t->out, 1 << 24);
    cr_assert_eq(libfcgi_codec_start(), 0);
    t->codec = libfcgi_codec_new(&t->in, &t->out);
    cr_assert_not_null(t->codec);
}

void
codec_fixture_close(struct codec_fixture *t)
{
    libfcgi_codec_free(t->codec);
    buffer_free(&t->in);
    buffer_free(&t->out);
}

void
codec_fixture_accept(struct codec_fixture *t, const char *const *params)
{
    begin(&t->in, 1, FCGI_RESPONDER, true);
    for (; *params != NULL; params += 2)
        param(&t->in, 1, params[0], params[1]);
    end_of(&t->in, FCGI_PARAMS, 1);
    cr_assert_eq(libfcgi_codec_accept(t->codec), 0);
}

void
codec_fixture_read(const struct codec_fixture *t, struct answer *a)
{
    const unsigned char *r = (const unsigned char *)t->out.data;
    size_t left = t->out.len;

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
