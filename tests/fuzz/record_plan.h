/*
 * record_plan.h - bytes as a plan of FastCGI records: most of them in order, some not.
 */
#ifndef FUZZ_RECORD_PLAN_H
#define FUZZ_RECORD_PLAN_H

#include "fuzz_input.h"
#include "util/buffer.h"

#include <fastcgi.h>
#include <stdint.h>
#include <stdlib.h>

#define PLAN_BYTES_MAX (1 << 19)

static void
add_record(struct buffer *b, int type, int id, const void *content, size_t n, size_t padding)
{
    const char header[FCGI_HEADER_LEN] = { FCGI_VERSION_1, (char)type,     0,
                                           (char)id,       (char)(n >> 8), (char)n,
                                           (char)padding };

    buffer_add(b, header, sizeof header);
    buffer_add(b, content, n);
    for (size_t i = 0; i < padding; i++)
        buffer_addc(b, 'p');
}

/* One name and value as they should be, in one record or in two. */
static void
add_param(struct fuzz_input *in, struct buffer *b, int id)
{
    char pair[64] = { (char)(take_byte(in) % 8), (char)(take_byte(in) % 8) };
    size_t n = 2 + (size_t)pair[0] + (size_t)pair[1], cut = take_byte(in) % (n + 1);

    for (size_t i = 2; i < n; i++)
        pair[i] = (char)('a' + take_byte(in) % 26);
    if (cut > 0)
        add_record(b, FCGI_PARAMS, id, pair, cut, take_byte(in) % 9);
    if (cut < n)
        add_record(b, FCGI_PARAMS, id, pair + cut, n - cut, 0);
}

static void
add_anything(struct fuzz_input *in, struct buffer *b)
{
    char content[256];
    size_t n = take_byte(in);
    int type = take_byte(in) % 13, id = take_byte(in) % 3;

    for (size_t i = 0; i < n; i++)
        content[i] = (char)take_byte(in);
    add_record(b, type, id, content, n, take_byte(in) % 9);
}

static void
follow_plan(struct fuzz_input *in, struct buffer *b)
{
    static const char keep[8] = { 0, 1, 1 }, once[8] = { 0, 1, 0 }, filter[8] = { 0, 3, 1 };

    while (in->left > 0 && b->len < PLAN_BYTES_MAX) {
        int step = take_byte(in) % 12, id = 1 + take_byte(in) % 4 / 3;

        if (step < 2)
            add_record(b, FCGI_BEGIN_REQUEST, id, step == 0 ? keep : once, 8, 0);
        else if (step == 2)
            add_record(b, FCGI_BEGIN_REQUEST, id, filter, 8, 0);
        else if (step < 5)
            add_param(in, b, id);
        else if (step == 5)
            add_record(b, FCGI_PARAMS, id, NULL, 0, 0);
        else if (step < 8)
            add_record(b, FCGI_STDIN, id, "some bytes of a body", take_byte(in) % 21,
                       take_byte(in) % 9);
        else if (step == 8)
            add_record(b, FCGI_STDIN, id, NULL, 0, 0);
        else if (step == 9)
            add_record(b, FCGI_ABORT_REQUEST, id, NULL, 0, 0);
        else if (step == 10)
            add_record(b, FCGI_GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
        else
            add_anything(in, b);
    }
}

#endif
