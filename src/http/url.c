/* url.c - which URLs can be fetched, and the origin a URL belongs to. */

#include "http/url.h"

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
    free(u->text);
    free(u->scheme);
    free(u->host);
    free(u->path);
    free(u->user);
    free(u->password);
    free(u->origin);
    *u = (struct url){ 0 };
}

/* A copy of one part; NULL where the URL has none. */
static char *
part(CURLU *h, CURLUPart what, unsigned flags)
{
    char *text = NULL, *copy = NULL;

    if (curl_url_get(h, what, &text, flags) == CURLUE_OK)
        copy = strdup(text);
    curl_free(text); /* set even where a malformed international name made it fail */
    return copy;
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

/* 0 where the port is out of range: libcurl itself would accept port 0. */
static int
port_of(CURLU *h)
{
    char *text = part(h, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    long port = text != NULL ? strtol(text, NULL, 10) : 0;

    free(text);
    return port >= 1 && port <= PORT_MAX ? (int)port : 0;
}

static char *
host_of(CURLU *h)
{
    char *host = part(h, CURLUPART_HOST, CURLU_PUNYCODE); /* as it is looked up */

    if (host == NULL)
        return NULL;
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (host[0] == '[') { /* IPv6: the brackets belong to the URL, not to the address */
        size_t n = strlen(host);

        memmove(host, host + 1, n - 1);
        host[n - 2] = '\0';
    }
    return host;
}

/* There, but not to be decoded: a NUL, say. */
static bool
is_lost(CURLU *h, CURLUPart what, const char *decoded)
{
    char *raw = decoded == NULL ? part(h, what, 0) : NULL;
    bool lost = raw != NULL;

    free(raw);
    return lost;
}

static int
read_parts(struct url *u, CURLU *h, struct failure *err)
{
    const char *brackets;

    if ((u->port = port_of(h)) == 0)
        return failure_set(err, ERROR_BAD_URL, "url: the port must be from 1 to %d", PORT_MAX);
    if ((u->host = host_of(h)) == NULL || *u->host == '\0')
        return failure_set(err, ERROR_BAD_URL, "url: the host name is missing or malformed");
    u->scheme = part(h, CURLUPART_SCHEME, 0);
    u->path = part(h, CURLUPART_PATH, 0);
    u->user = part(h, CURLUPART_USER, CURLU_URLDECODE);
    u->password = part(h, CURLUPART_PASSWORD, CURLU_URLDECODE);
    if (is_lost(h, CURLUPART_USER, u->user) || is_lost(h, CURLUPART_PASSWORD, u->password))
        return failure_set(err, ERROR_BAD_URL,
                           "url: user or password contains a control character");
    curl_url_set(h, CURLUPART_USER, NULL, 0);
    curl_url_set(h, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(h, CURLUPART_FRAGMENT, NULL, 0);
    u->text = part(h, CURLUPART_URL, CURLU_GET_EMPTY); /* "/x?" is not "/x" */
    brackets = strchr(u->host, ':') != NULL ? "[]" : "";
    if (u->scheme == NULL || u->path == NULL || u->text == NULL ||
        asprintf(&u->origin, "%s://%.1s%s%s:%d", u->scheme, brackets, u->host,
                 *brackets ? brackets + 1 : "", u->port) < 0)
        return failure_no_memory(err);
    return 0;
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

/* Nothing is left of some international names; a "%" that is left could be
 * decoded once more. */
static bool
is_sound_host(CURLU *h)
{
    char *host = host_of(h);
    bool sound = host != NULL && *host != '\0' && strchr(host, '%') == NULL;

    free(host);
    return sound;
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

/* Into h; -1: bad_url. */
static int
read_text(CURLU *h, const char *text, struct failure *err)
{
    CURLUcode rc = curl_url_set(h, CURLUPART_URL, text, CURLU_URLENCODE);

    if (rc == CURLUE_OK && has_odd_host(text)) {
        if (!is_sound_host(h))
            return failure_set(err, ERROR_BAD_URL, "url: the host name is malformed");
        rc = read_again(h);
    }
    return rc == CURLUE_OK ? 0 : failure_set(err, ERROR_BAD_URL, "url: %s", curl_url_strerror(rc));
}

/* Browsers end the host at it, libcurl does not: a.test\@b.test. */
static bool
has_backslash_in_host(const char *text)
{
    const char *at = strchr(text, ':') + 3;

    return memchr(at, '\\', strcspn(at, "/?#")) != NULL;
}

int
url_parse(struct url *u, const char *text, struct failure *err)
{
    CURLU *h;
    int result = -1;

    *u = (struct url){ 0 };
    if (strlen(text) > URL_BYTES_MAX)
        return failure_set(err, ERROR_BAD_URL, "url: longer than %d bytes", URL_BYTES_MAX);
    if (!has_scheme(text))
        return failure_set(err, ERROR_BAD_URL, "url: must begin with http:// or https://");
    if (strchr("/?#", strchr(text, ':')[3]) !=
        NULL) /* libcurl would take "http:///x" for http://x */
        return failure_set(err, ERROR_BAD_URL, "url: the host name is missing");
    if (has_backslash_in_host(text))
        return failure_set(err, ERROR_BAD_URL, "url: contains a backslash before the path");
    if (has_control(text))
        return failure_set(err, ERROR_BAD_URL, "url: contains a space or control character");
    if ((h = curl_url()) == NULL)
        return failure_no_memory(err);
    if (read_text(h, text, err) == 0)
        result = read_parts(u, h, err);
    curl_url_cleanup(h);
    if (result != 0)
        url_destroy(u);
    return result;
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
        rc = curl_url_set(h, CURLUPART_URL, reference, 0);
    if (rc == CURLUE_OK)
        rc = curl_url_get(h, CURLUPART_URL, &text, CURLU_GET_EMPTY);
    curl_url_cleanup(h);
    if (rc != CURLUE_OK)
        return failure_set(err, rc == CURLUE_OUT_OF_MEMORY ? ERROR_INTERNAL : ERROR_BAD_URL,
                           "url: %s", curl_url_strerror(rc));
    result = url_parse(u, text, err);
    curl_free(text);
    return result;
}

char *
url_proxy_host(const char *proxy, struct failure *err)
{
    static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };
    CURLU *h;
    char *host = NULL;
    size_t i = 0;

    while (i < sizeof schemes / sizeof schemes[0] &&
           strncasecmp(proxy, schemes[i], strlen(schemes[i])) != 0)
        i++;
    if (i == sizeof schemes / sizeof schemes[0]) {
        failure_set(err, ERROR_BAD_REQUEST,
                    "proxy: must be an http, https, socks5 or socks5h URL with a host");
        return NULL;
    }
    if ((h = curl_url()) != NULL &&
        curl_url_set(h, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
        host = host_of(h);
    curl_url_cleanup(h);
    if (host == NULL || *host == '\0') {
        free(host);
        failure_set(err, ERROR_BAD_REQUEST, "proxy: the URL has no host");
        return NULL;
    }
    return host;
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

void
url_add_param(struct buffer *text, const char *name, const char *value)
{
    const char *query = text->len > 0 ? strchr(text->data, '?') : NULL;

    if (query == NULL)
        buffer_addc(text, '?');
    else if (query[1] != '\0' && text->data[text->len - 1] != '&')
        buffer_addc(text, '&');
    url_encode(text, name, strlen(name));
    buffer_addc(text, '=');
    url_encode(text, value, strlen(value));
}
