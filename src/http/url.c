/* url.c - which URLs can be fetched, and the origin a URL belongs to. */

#include "http/url.h"

#include "http/plain_url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_BYTES_MAX 65536
#define PORT_MAX      65535

void
url_destroy(struct url *u)
{
    free(u->block);
    *u = (struct url){ 0 };
}

/* *to becomes a copy of one part; NULL: the URL has none, or it is malformed.  -1: no memory. */
static int
part(CURLU *h, CURLUPart what, unsigned flags, char **to)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(h, what, &text, flags);

    *to = rc == CURLUE_OK ? strdup(text) : NULL;
    curl_free(text); /* set even where a malformed international name made it fail */
    return rc == CURLUE_OUT_OF_MEMORY || (rc == CURLUE_OK && *to == NULL) ? -1 : 0;
}

/* libcurl takes "example.com" for http://example.com; here the scheme is
 * written out. */
static bool
has_scheme(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

static bool
has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* 0 where the port is out of range: libcurl itself would accept port 0.  -1: no memory. */
static int
read_port(CURLU *h, int *to)
{
    char *text;
    int rc = part(h, CURLUPART_PORT, CURLU_DEFAULT_PORT, &text);
    long port = text != NULL ? strtol(text, NULL, 10) : 0;

    free(text);
    *to = port >= 1 && port <= PORT_MAX ? (int)port : 0;
    return rc;
}

/* As it is looked up; NULL: missing, or malformed.  -1: no memory. */
static int
read_host(CURLU *h, char **to)
{
    int rc = part(h, CURLUPART_HOST, CURLU_PUNYCODE, to);
    char *host = *to;

    for (char *c = host; c != NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (host != NULL && host[0] == '[') { /* IPv6: the brackets belong to the URL */
        size_t n = strlen(host);

        memmove(host, host + 1, n - 1);
        host[n - 2] = '\0';
    }
    return rc;
}

/* What libcurl has read, as copies of ours. */
struct copies {
    char *text, *scheme, *host, *path, *user, *password;
    int port;
};

static void
copies_free(struct copies *c)
{
    free(c->text);
    free(c->scheme);
    free(c->host);
    free(c->path);
    free(c->user);
    free(c->password);
}

static int
read_address(struct copies *c, CURLU *h, struct failure *err)
{
    if (read_port(h, &c->port) != 0 || read_host(h, &c->host) != 0)
        return failure_no_memory(err);
    if (c->port == 0)
        return failure_set(err, ERROR_BAD_URL, "url: the port must be from 1 to %d", PORT_MAX);
    if (c->host == NULL || *c->host == '\0')
        return failure_set(err, ERROR_BAD_URL, "url: the host name is missing or malformed");
    return 0;
}

/* Decoded.  What is there and cannot be decoded has a NUL in it, say. */
static int
read_credential(CURLU *h, CURLUPart what, char **to, bool *sound)
{
    char *raw;

    if (part(h, what, CURLU_URLDECODE, to) != 0 || part(h, what, 0, &raw) != 0)
        return -1;
    free(raw);
    *sound = *sound && (*to == NULL) == (raw == NULL);
    return 0;
}

/* `key` is whose URL it is.  -1: err. */
static int
read_credentials(CURLU *h, char **user, char **password, const char *key, struct failure *err)
{
    bool sound = true;

    if (read_credential(h, CURLUPART_USER, user, &sound) != 0 ||
        read_credential(h, CURLUPART_PASSWORD, password, &sound) != 0)
        return failure_no_memory(err);
    return sound ? 0
                 : failure_set(err, ERROR_BAD_URL,
                               "%s: user or password contains a control character", key);
}

/* "http://@h" and "http://:@h" name nobody, as for browsers. */
static void
drop_empty_credentials(struct copies *c)
{
    if ((c->user != NULL && *c->user != '\0') || (c->password != NULL && *c->password != '\0'))
        return;
    free(c->user);
    free(c->password);
    c->user = c->password = NULL;
}

static int
copy_parts(struct copies *c, CURLU *h, struct failure *err)
{
    if (read_address(c, h, err) != 0 ||
        read_credentials(h, &c->user, &c->password, "url", err) != 0)
        return -1;
    drop_empty_credentials(c);
    curl_url_set(h, CURLUPART_USER, NULL, 0);
    curl_url_set(h, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(h, CURLUPART_FRAGMENT, NULL, 0);
    if (part(h, CURLUPART_SCHEME, 0, &c->scheme) != 0 ||
        part(h, CURLUPART_PATH, 0, &c->path) != 0 ||
        part(h, CURLUPART_URL, CURLU_GET_EMPTY, &c->text) != 0 || /* "/x?" is not "/x" */
        c->scheme == NULL || c->path == NULL || c->text == NULL)
        return failure_no_memory(err);
    return 0;
}

static int
read_parts(struct url *u, CURLU *h, struct failure *err)
{
    struct copies c = { 0 };
    int rc = copy_parts(&c, h, err);
    const struct url_parts parts = {
        url_parts_piece(c.text),
        url_parts_piece(c.scheme),
        url_parts_piece(c.host),
        url_parts_piece(c.path),
        url_parts_piece(c.user),
        url_parts_piece(c.password),
        c.port,
    };

    if (rc == 0 && url_parts_gather(&parts, u) != 0)
        rc = failure_no_memory(err);
    copies_free(&c);
    return rc;
}

/* Percent-encoded or international: libcurl decodes it after it has looked for
 * addresses. */
static bool
has_odd_host(const char *text)
{
    const char *at = strstr(text, "://") + 3;

    for (size_t n = strcspn(at, "/?#"); n > 0; n--, at++)
        if (*at == '%' || (unsigned char)*at >= 0x80)
            return true;
    return false;
}

/*
 * Nothing is left of some international names, and of others a delimiter (U+FF20 is "@", U+2100 is
 * "a/c"): read again, it would end the host or begin another one.  A "%" that is left could be
 * decoded once more.
 */
static int
check_host(CURLU *h, struct failure *err)
{
    char *host;
    int rc = part(h, CURLUPART_HOST, CURLU_PUNYCODE, &host);
    bool sound =
        host != NULL && *host != '\0' && strpbrk(host, host[0] == '[' ? "%" : "%/?#@:\\") == NULL;

    free(host);
    if (rc != 0)
        return failure_no_memory(err);
    return sound ? 0 : failure_set(err, ERROR_BAD_URL, "url: the host name is malformed");
}

/* So it reads what it has read once more: %31%32%37.1 is 127.0.0.1, too. */
static CURLUcode
read_again(CURLU *h)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(h, CURLUPART_URL, &text, CURLU_PUNYCODE);

    if (rc == CURLUE_OK)
        rc = curl_url_set(h, CURLUPART_URL, text, CURLU_URLENCODE);
    curl_free(text);
    return rc;
}

static int
refuse(CURLUcode rc, struct failure *err)
{
    if (rc == CURLUE_OUT_OF_MEMORY)
        return failure_no_memory(err);
    return failure_set(err, ERROR_BAD_URL, "url: %s", curl_url_strerror(rc));
}

/* Into h; -1: bad_url, or no memory. */
static int
read_text(CURLU *h, const char *text, struct failure *err)
{
    CURLUcode rc = curl_url_set(h, CURLUPART_URL, text, CURLU_URLENCODE);

    if (rc == CURLUE_OK && has_odd_host(text)) {
        if (check_host(h, err) != 0)
            return -1;
        rc = read_again(h);
    }
    return rc == CURLUE_OK ? 0 : refuse(rc, err);
}

/* Browsers end the host at it, libcurl does not: a.test\@b.test. */
static bool
has_backslash_in_host(const char *text)
{
    const char *at = strchr(text, ':') + 3;

    return memchr(at, '\\', strcspn(at, "/?#")) != NULL;
}

/* What libcurl would take, and we don't. */
static int
check_text(const char *text, struct failure *err)
{
    if (!has_scheme(text))
        return failure_set(err, ERROR_BAD_URL, "url: must begin with http:// or https://");
    if (strchr("/?#", strchr(text, ':')[3]) !=
        NULL) /* libcurl would take "http:///x" for http://x */
        return failure_set(err, ERROR_BAD_URL, "url: the host name is missing");
    if (has_backslash_in_host(text))
        return failure_set(err, ERROR_BAD_URL, "url: contains a backslash before the path");
    if (has_control(text))
        return failure_set(err, ERROR_BAD_URL, "url: contains a space or control character");
    return 0;
}

int
url_parse_by_libcurl(struct url *u, const char *text, struct failure *err)
{
    CURLU *h;
    int result = -1;

    *u = (struct url){ 0 };
    if (strlen(text) > URL_BYTES_MAX)
        return failure_set(err, ERROR_BAD_URL, "url: longer than %d bytes", URL_BYTES_MAX);
    if (check_text(text, err) != 0)
        return -1;
    if ((h = curl_url()) == NULL)
        return failure_no_memory(err);
    if (read_text(h, text, err) == 0)
        result = read_parts(u, h, err);
    curl_url_cleanup(h);
    return result;
}

int
url_parse(struct url *u, const char *text, struct failure *err)
{
    struct url_parts parts;

    if (!plain_url_read(text, &parts) || parts.text.n > URL_BYTES_MAX)
        return url_parse_by_libcurl(u, text, err);
    return url_parts_gather(&parts, u) == 0 ? 0 : failure_no_memory(err);
}

/*
 * A relative reference has no scheme that could be bad: libcurl had no memory for the base, and
 * then reads the reference as if it were absolute.
 */
static CURLUcode
true_cause(CURLUcode rc, const char *reference)
{
    bool absolute = strncmp(reference + strcspn(reference, ":/?#"), "://", 3) == 0;

    return rc == CURLUE_BAD_SCHEME && !absolute ? CURLUE_OUT_OF_MEMORY : rc;
}

int
url_resolve(struct url *u, const struct url *base, const char *reference, struct failure *err)
{
    char *text = NULL;
    CURLU *h = curl_url();
    CURLUcode rc;
    int result;

    if (h == NULL)
        return failure_no_memory(err);
    rc = curl_url_set(h, CURLUPART_URL, base->text, 0);
    if (rc == CURLUE_OK)
        rc = true_cause(curl_url_set(h, CURLUPART_URL, reference, 0), reference);
    if (rc == CURLUE_OK)
        rc = curl_url_get(h, CURLUPART_URL, &text, CURLU_GET_EMPTY);
    curl_url_cleanup(h);
    if (rc != CURLUE_OK)
        return refuse(rc, err);
    result = url_parse(u, text, err);
    curl_free(text);
    return result;
}

/* -- proxies --------------------------------------------------------------- */

/* Where a proxy's URL names none; libcurl's own default depends on its version. */
#define PROXY_PORT       1080
#define HTTPS_PROXY_PORT 443

static const struct proxy_scheme {
    const char *start;
    const char *for_libcurl;
    int port;
} proxy_schemes[] = {
    { "http://", "http://", PROXY_PORT },      { "https://", "https://", HTTPS_PROXY_PORT },
    { "socks4://", "socks4a://", PROXY_PORT }, { "socks4a://", "socks4a://", PROXY_PORT },
    { "socks5://", "socks5h://", PROXY_PORT }, { "socks5h://", "socks5h://", PROXY_PORT },
};

static const struct proxy_scheme *
find_proxy_scheme(const char *proxy)
{
    for (size_t i = 0; i < sizeof proxy_schemes / sizeof proxy_schemes[0]; i++)
        if (strncasecmp(proxy, proxy_schemes[i].start, strlen(proxy_schemes[i].start)) == 0)
            return &proxy_schemes[i];
    return NULL;
}

bool
url_has_proxy_scheme(const char *proxy)
{
    return find_proxy_scheme(proxy) != NULL;
}

/* libcurl goes without the proxy, and says nothing, where it cannot decode these. */
static int
check_proxy_credentials(CURLU *h, struct failure *err)
{
    char *user = NULL, *password = NULL;
    int rc = read_credentials(h, &user, &password, "proxy", err);

    free(user);
    free(password);
    if (rc != 0 && err->error == ERROR_BAD_URL)
        err->error = ERROR_BAD_REQUEST;
    return rc;
}

static int
refuse_proxy_port(struct failure *err)
{
    return failure_set(err, ERROR_BAD_REQUEST, "proxy: the port must be from 1 to %d", PORT_MAX);
}

static int
read_proxy_address(CURLU *h, int usual_port, char **host, int *port, struct failure *err)
{
    char *text = NULL;

    *port = usual_port;
    if (read_host(h, host) != 0 || part(h, CURLUPART_PORT, 0, &text) != 0)
        return failure_no_memory(err);
    if (text != NULL)
        *port = atoi(text);
    free(text);
    if (*host == NULL || **host == '\0')
        return failure_set(err, ERROR_BAD_REQUEST, "proxy: the URL has no host");
    if (*port == 0)
        return refuse_proxy_port(err);
    return check_proxy_credentials(h, err);
}

/* *host is the caller's, whatever comes of it.  -1: err. */
static int
read_proxy(const char *proxy, int usual_port, char **host, int *port, struct failure *err)
{
    CURLU *h = curl_url();
    CURLUcode rc = CURLUE_OUT_OF_MEMORY;
    int result = -1;

    if (h != NULL)
        rc = curl_url_set(h, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME);
    if (rc == CURLUE_OK)
        result = read_proxy_address(h, usual_port, host, port, err);
    else if (rc == CURLUE_OUT_OF_MEMORY)
        failure_no_memory(err);
    else if (rc == CURLUE_BAD_PORT_NUMBER)
        refuse_proxy_port(err);
    else
        failure_set(err, ERROR_BAD_REQUEST, "proxy: %s", curl_url_strerror(rc));
    curl_url_cleanup(h);
    return result;
}

char *
url_proxy_host(const char *proxy, int *port, struct failure *err)
{
    const struct proxy_scheme *scheme = find_proxy_scheme(proxy);
    char *host = NULL;

    if (scheme == NULL)
        failure_set(err, ERROR_BAD_REQUEST,
                    "proxy: must be an " URL_PROXY_SCHEMES " URL with a host");
    else if (read_proxy(proxy, scheme->port, &host, port, err) == 0)
        return host;
    free(host);
    return NULL;
}

struct url_piece
url_proxy_userinfo(const char *proxy)
{
    const char *start = strstr(proxy, "://"), *at;

    if (start == NULL)
        return (struct url_piece){ 0 };
    start += 3;
    start += strspn(start, "/"); /* libcurl takes up to three for two */
    at = memrchr(start, '@', strcspn(start, "/?#"));
    return at != NULL ? (struct url_piece){ start, (size_t)(at - start) } : (struct url_piece){ 0 };
}

int
url_proxy_usual_port(const char *proxy)
{
    const struct proxy_scheme *scheme = find_proxy_scheme(proxy);

    return scheme != NULL ? scheme->port : PROXY_PORT;
}

char *
url_proxy_for_libcurl(const char *proxy)
{
    const struct proxy_scheme *scheme = find_proxy_scheme(proxy);
    char *text;

    if (scheme == NULL)
        return strdup(proxy);
    return asprintf(&text, "%s%s", scheme->for_libcurl, proxy + strlen(scheme->start)) < 0 ? NULL
                                                                                           : text;
}

/* -- writing ------------------------------------------------------------- */

void
url_encode(struct buffer *to, const char *bytes, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escaped[3] = { '%', hex[c >> 4], hex[c & 15] };

        if ((c < 0x80 && isalnum(c)) || (c != '\0' && strchr("-._~", c) != NULL))
            buffer_addc(to, (char)c);
        else
            buffer_add(to, escaped, sizeof escaped);
    }
}

static void
add_pair(struct buffer *text, const char *name, const char *value)
{
    url_encode(text, name, strlen(name));
    buffer_addc(text, '=');
    url_encode(text, value, strlen(value));
}

void
url_add_param(struct buffer *text, const char *name, const char *value)
{
    const char *query = text->len > 0 ? strchr(text->data, '?') : NULL;

    if (query == NULL)
        buffer_addc(text, '?');
    else if (query[1] != '\0' && text->data[text->len - 1] != '&')
        buffer_addc(text, '&');
    add_pair(text, name, value);
}

void
url_add_next_param(struct buffer *text, const char *name, const char *value)
{
    buffer_addc(text, '&');
    add_pair(text, name, value);
}
