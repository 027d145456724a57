/*
 * fuzz_url.c - any bytes as a URL, as a proxy and as a parameter: refused with a reason, or taken
 * apart into parts that hold together.
 *
 * Taken once, the text is normalised: taken again it gives the same parts.
 */

#include "fuzz_input.h"
#include "http/url.h"
#include "util/utf8.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_refusal(const struct failure *err, const char *begins)
{
    check_that(err->detail[0] != '\0' && utf8_valid(err->detail, strlen(err->detail)), "a reason",
               err->detail);
    check_that(strncmp(err->detail, begins, strlen(begins)) == 0, "it names the key", err->detail);
}

/* Nothing that could break out of a request line, a log line or a header. */
static bool
is_printable(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
            return false;
    return true;
}

static void
check_origin(const struct url *u)
{
    char wanted[4096];
    bool six = strchr(u->host, ':') != NULL;

    if (strlen(u->host) > 3000)
        return;
    snprintf(wanted, sizeof wanted, "%s://%s%s%s:%d", u->scheme, six ? "[" : "", u->host,
             six ? "]" : "", u->port);
    check_that(strcmp(u->origin, wanted) == 0, "the origin", u->origin);
}

/* An international host stands as it was written, or as punycode; all else is ASCII. */
static void
check_text(const char *text)
{
    const char *host = strstr(text, "://") + 3, *end = host + strcspn(host, "/?");

    check_that(utf8_valid(text, strlen(text)), "the text is UTF-8", text);
    check_that(is_printable(end), "path and query are printable", text);
    for (; host < end; host++)
        check_that((unsigned char)*host > ' ' && *host != 0x7f, "so is the host", text);
}

static void
check_parts(const struct url *u)
{
    check_that(strcmp(u->scheme, "http") == 0 || strcmp(u->scheme, "https") == 0, "scheme",
               u->scheme);
    check_that(u->port >= 1 && u->port <= 65535, "port", u->text);
    check_that(is_printable(u->host) && is_printable(u->origin), "host and origin are printable",
               u->text);
    check_that(u->host[0] != '\0' &&
                   strpbrk(u->host, "[]/@?# \\ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL,
               "host", u->host);
    check_that(u->path[0] == '/', "path", u->path);
    check_text(u->text);
    check_that(strchr(u->text, '#') == NULL, "no fragment", u->text);
    check_that(strncmp(u->text, u->scheme, strlen(u->scheme)) == 0, "the text begins so", u->text);
    check_origin(u);
}

/* Up to the path there is no @: the credentials have gone. */
static void
check_authority(const struct url *u)
{
    const char *host = strstr(u->text, "://") + 3;

    check_that(memchr(host, '@', strcspn(host, "/?#")) == NULL, "no credentials", u->text);
}

static void
check_again(const struct url *u)
{
    struct failure err = { 0 };
    struct url again;

    if (strlen(u->text) > 65536)
        return; /* percent-encoding made it longer than is taken */
    check_that(url_parse(&again, u->text, &err) == 0, "it is taken again", u->text);
    check_that(strcmp(again.text, u->text) == 0, "the same text", again.text);
    check_that(strcmp(again.origin, u->origin) == 0, "the same origin", again.origin);
    check_that(strcmp(again.path, u->path) == 0, "the same path", again.path);
    check_that(again.user == NULL && again.password == NULL, "nobody's", again.text);
    url_destroy(&again);
}

/* plain_url.h reads some URLs itself: as libcurl does. */
static void
check_libcurl_agrees(const struct url *u, const char *text)
{
    struct failure err = { 0 };
    struct url theirs;

    check_that(url_parse_by_libcurl(&theirs, text, &err) == 0, "libcurl takes it", text);
    check_that(strcmp(theirs.text, u->text) == 0, "the text by libcurl", theirs.text);
    check_that(strcmp(theirs.host, u->host) == 0, "the host by libcurl", theirs.host);
    check_that(strcmp(theirs.origin, u->origin) == 0, "the origin by libcurl", theirs.origin);
    check_that(strcmp(theirs.path, u->path) == 0, "the path by libcurl", theirs.path);
    url_destroy(&theirs);
}

static void
try_url(const char *text)
{
    struct failure err = { 0 };
    struct url u;

    if (url_parse(&u, text, &err) != 0) {
        check_that(err.error == ERROR_BAD_URL, "a bad URL", err.detail);
        check_refusal(&err, "url: ");
        return;
    }
    check_parts(&u);
    check_authority(&u);
    check_again(&u);
    check_libcurl_agrees(&u, text);
    url_destroy(&u);
}

static void
try_proxy(const char *text)
{
    struct failure err = { 0 };
    int port;
    char *host = url_proxy_host(text, &port, &err);

    if (host == NULL)
        check_refusal(&err, "proxy: ");
    else
        check_that(host[0] != '\0' && port >= 1 && port <= 65535 && strpbrk(host, "/@[]") == NULL,
                   "the proxy's host", host);
    free(host);
}

/* What is added comes back, decoded by libcurl. */
static void
try_param(const char *text)
{
    struct buffer url;
    char *value;
    int n;

    buffer_init(&url, 1 << 20);
    buffer_adds(&url, "http://a.example/?first=1");
    url_add_param(&url, text, text);
    check_that(buffer_ok(&url) && is_printable(url.data), "a parameter is printable", url.data);
    value = curl_easy_unescape(NULL, strrchr(url.data, '=') + 1, 0, &n);
    check_that(value != NULL && (size_t)n == strlen(text) && strcmp(value, text) == 0,
               "it is the same", text);
    curl_free(value);
    try_url(url.data);
    buffer_free(&url);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setlocale(LC_CTYPE, "C.UTF-8"); /* as the daemon does */
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size), *url;

    try_url(text);
    try_proxy(text);
    try_param(text);
    if (asprintf(&url, "http://%s", text) < 0)
        abort();
    try_url(url);
    try_proxy(url);
    free(url);
    free(text);
    return 0;
}
