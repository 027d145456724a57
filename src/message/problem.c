/* problem.c - a failure as application/problem+json (RFC 9457). */

#include "message/problem.h"

#include "message/config_table.h"
#include "message/json.h"
#include "util/json_text.h"
#include "util/utf8.h"

#include <string.h>

/*
 * The type is a URN: it names the kind of problem for good, and nobody need
 * wonder what a web page of that address would say.
 */
#define TYPE "urn:curlew:problem:"

#define PLACE_SIZE 400 /* of what config_table_write_place() adds */

static void
add_detail(struct buffer *out, const struct failure *f)
{
    char text[sizeof f->detail + PLACE_SIZE];
    size_t n = utf8_prefix(f->detail, strlen(f->detail));

    memcpy(text, f->detail, n);
    config_table_write_place(text + n, PLACE_SIZE, f->detail);
    json_text_add(out, text, utf8_prefix(text, strlen(text)));
}

void
problem_begin(struct buffer *out, const struct failure *f)
{
    const char *code = error_code(f->error), *title = error_title(f->error);

    buffer_adds(out, "{\"type\":\"" TYPE);
    buffer_adds(out, code);
    buffer_adds(out, "\",\"title\":");
    json_text_add(out, title, strlen(title));
    buffer_adds(out, ",\"status\":");
    buffer_add_integer(out, error_status(f->error));
    buffer_adds(out, ",\"detail\":");
    add_detail(out, f);
    buffer_adds(out, ",\"code\":\"");
    buffer_adds(out, code);
    buffer_addc(out, '"');
    if (f->curl_code != 0) {
        buffer_adds(out, ",\"curl_code\":");
        buffer_add_integer(out, f->curl_code);
    }
    if (f->attempts != 0) {
        buffer_adds(out, ",\"attempts\":");
        buffer_add_integer(out, f->attempts);
    }
}

int
problem_write(struct buffer *out, const struct failure *f)
{
    problem_begin(out, f);
    buffer_addc(out, '}');
    return buffer_ok(out) ? 0 : -1;
}

json_t *
problem_json(const struct failure *f)
{
    struct buffer text;
    struct failure err = { 0 };
    json_t *problem = NULL;

    buffer_init(&text, 64 << 10);
    if (problem_write(&text, f) == 0)
        problem = json_parse(text.data, text.len, &err);
    buffer_free(&text);
    return problem;
}
