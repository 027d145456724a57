/* problem.c - a failure as application/problem+json (RFC 9457). */

#include "message/problem.h"

#include "message/json.h"
#include "util/json_text.h"
#include "util/utf8.h"

#include <string.h>

/*
 * The type is a URN: it names the kind of problem for good, and nobody need
 * wonder what a web page of that address would say.
 */
#define TYPE "urn:curlew:problem:"

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
    json_text_add(out, f->detail, utf8_prefix(f->detail, strlen(f->detail)));
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
    json_t *problem = NULL;

    buffer_init(&text, 64 << 10);
    if (problem_write(&text, f) == 0)
        problem = json_loadb(text.data, text.len, 0, NULL);
    buffer_free(&text);
    return problem;
}
