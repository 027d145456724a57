/*
 * fuzz_location.c - any bytes as a Location field, at several URLs: refused with a reason, or a URL
 * that holds together, whatever of it browsers would drop.
 */

#include "fuzz_input.h"
#include "http/location.h"
#include "util/utf8.h"

#include <locale.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const bases[] = { "http://a.example/dir/page?query", "https://a.example:8443/",
                                     "http://[::1]:8080/x/y/z", "http://127.0.0.1/?q=/../" };

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setlocale(LC_CTYPE, "C.UTF-8"); /* as the daemon does */
    return 0;
}

/* Up to the path there is no @: the credentials have gone. After it all is printable ASCII. */
static void
check_url(const struct url *u)
{
    const char *host = strstr(u->text, "://") + 3, *path = host + strcspn(host, "/?");

    check_that(strcmp(u->scheme, "http") == 0 || strcmp(u->scheme, "https") == 0, "scheme",
               u->scheme);
    check_that(u->host[0] != '\0' && strpbrk(u->host, "/\\@?# ") == NULL, "host", u->host);
    check_that(memchr(host, '@', (size_t)(path - host)) == NULL, "no credentials", u->text);
    check_that(strchr(u->text, '#') == NULL, "no fragment", u->text);
    for (; *path != '\0'; path++)
        check_that(*path > ' ' && *path < 0x7f, "path and query are printable", u->text);
}

/* NULL where it is refused; the caller frees. */
static char *
resolve(const struct url *base, const char *location)
{
    struct failure err = { 0 };
    struct url next;
    char *text;

    if (location_resolve(&next, base, location, &err) != 0) {
        check_that(err.error == ERROR_BLOCKED || err.error == ERROR_PROTOCOL_ERROR, "an error",
                   error_code(err.error));
        check_that(utf8_valid(err.detail, strlen(err.detail)), "its text", err.detail);
        return NULL;
    }
    check_url(&next);
    text = strdup(next.text);
    url_destroy(&next);
    return text;
}

static void
check_same(const struct url *base, const char *location, const char *expected, const char *what)
{
    char *found = resolve(base, location);

    check_that((found == NULL) == (expected == NULL), what, location);
    check_that(found == NULL || strcmp(found, expected) == 0, what, found != NULL ? found : "");
    free(found);
}

/* Blanks around it and tabs or line ends in it are of no account. */
static void
check_dropped(const struct url *base, const char *location, size_t at, const char *expected)
{
    struct buffer other;

    buffer_init(&other, SIZE_MAX / 2);
    buffer_adds(&other, " \r\n\t");
    buffer_add(&other, location, at);
    buffer_adds(&other, "\n\t\r");
    buffer_adds(&other, location + at);
    buffer_adds(&other, "\x01 ");
    check_same(base, other.data, expected, "what browsers drop");
    buffer_free(&other);
}

/* Before the query a backslash is a slash. */
static void
check_backslashes(const struct url *base, const char *location, const char *expected)
{
    char *other = strdup(location);

    for (char *c = other; *c != '\0' && *c != '?' && *c != '#'; c++)
        if (*c == '/')
            *c = '\\';
    check_same(base, other, expected, "backslashes");
    free(other);
}

/* Where it leads, read as a Location there, is the same place. */
static void
check_again(const char *text)
{
    struct failure err = { 0 };
    struct url at;

    if (strlen(text) > 60000)
        return;
    check_that(url_parse(&at, text, &err) == 0, "it is a URL", text);
    check_same(&at, text, text, "it leads there");
    url_destroy(&at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    const char *from = bases[take_below(&in, COUNT(bases))];
    size_t at = take_byte(&in);
    char *location = take_string(&in), *text;
    struct failure err = { 0 };
    struct url base;

    if (url_parse(&base, from, &err) != 0)
        abort();
    if (!location_is_empty(location)) {
        text = resolve(&base, location);
        check_dropped(&base, location, at % (strlen(location) + 1), text);
        check_backslashes(&base, location, text);
        if (text != NULL)
            check_again(text);
        free(text);
    }
    url_destroy(&base);
    free(location);
    return 0;
}
