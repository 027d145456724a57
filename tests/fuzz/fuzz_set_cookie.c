/*
 * fuzz_set_cookie.c - any bytes as a Set-Cookie field: ignored, or a cookie for this host that goes
 * into an envelope, back into a request, and out as the same Cookie field.
 */

#include "check.h"
#include "http/cookie_match.h"
#include "http/set_cookie.h"
#include "message/envelope.h"
#include "message/json.h"

#include <stdio.h>

#define NOW  1700000000
#define HOST "a.bank.test"
#define PATH "/dir/page"

static void
check(bool ok)
{
    if (!ok)
        abort();
}

/* Nothing that could break out of the field, and not past its limits. */
static void
check_cookie(const struct cookie *c, enum set_cookie result)
{
    check(strpbrk(c->name, "=;\r\n") == NULL && strpbrk(c->value, ";\r\n") == NULL);
    check(strlen(c->name) + strlen(c->value) <= SET_COOKIE_BYTES_MAX);
    check(c->name[0] != '\0' || c->value[0] != '\0');
    check(c->path[0] == '/' && strpbrk(c->path, ";\r\n") == NULL);
    check(cookie_match_domain(HOST, c->domain) && strchr(c->domain, '.') != NULL);
    check(!c->host_only || strcmp(c->domain, HOST) == 0);
    check(c->expires == 0 || (result == SET_COOKIE_STORE && c->expires > NOW));
}

static void
write_field(struct buffer *to, const struct cookies *list)
{
    const struct cookie_target t = { HOST, PATH, true, NOW, false };

    cookie_match_write(to, list, &t);
    check(buffer_ok(to));
}

/* The request that an envelope's cookies make. */
static void
read_back(struct request *r, const char *envelope)
{
    struct failure err = { 0 };
    json_t *all = json_loads(envelope, 0, NULL);
    json_t *request = json_pack("{s:s, s:O}", "url", "http://" HOST "/", "cookies",
                                json_object_get(all, "cookies"));

    check(all != NULL && request != NULL && request_json_read(r, request, &err) == 0);
    json_decref(request);
    json_decref(all);
}

static void
check_round_trip(const struct cookie *c)
{
    struct request asked, again;
    struct response r;
    struct buffer envelope, sent, sent_again;

    request_init(&asked);
    request_init(&again);
    response_init(&r);
    buffer_init(&envelope, SIZE_MAX / 2);
    buffer_init(&sent, SIZE_MAX / 2);
    buffer_init(&sent_again, SIZE_MAX / 2);
    check(cookies_add(&r.cookies, c) == 0);
    check(envelope_write(&envelope, &asked, &r, -1) == 0);
    read_back(&again, envelope.data);
    write_field(&sent, &r.cookies);
    write_field(&sent_again, &again.cookies);
    check(sent.len == sent_again.len);
    check(sent.len == 0 || memcmp(sent.data, sent_again.data, sent.len) == 0);
    buffer_free(&envelope);
    buffer_free(&sent);
    buffer_free(&sent_again);
    response_destroy(&r);
    request_destroy(&again);
    request_destroy(&asked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct set_cookie_origin from = { HOST, PATH, true };
    char *field = strndup((const char *)data, size);
    struct cookie c;
    enum set_cookie result = set_cookie_parse(&c, field, &from, NOW);

    if (result == SET_COOKIE_STORE || result == SET_COOKIE_DELETE) {
        check_cookie(&c, result);
        c.deleted = result == SET_COOKIE_DELETE;
        check_round_trip(&c);
        cookies_destroy_one(&c);
    }
    free(field);
    return 0;
}
