/* connection_options.c - the connection of a hop: proxy, TLS, network, HTTP version, old or new. */

#include "transfer/connection_options.h"

#include "egress/ip_address.h"
#include "libcurl/curl_features.h"
#include "libcurl/system_ca.h"
#include "transfer/egress_hooks.h"
#include "transfer/fingerprint.h"
#include "transfer/hop.h"
#include "util/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KEEPALIVE_IDLE_S  30L /* without a byte, before the first probe */
#define KEEPALIVE_EVERY_S 10L /* between probes */
#define KEEPALIVE_PROBES  3L  /* without an answer, before the connection is dead */

#define SET(option, value) hop_set(f->hop, option, value)

/*
 * "" and not NULL: libcurl would take proxies from the environment, and they would hide the
 * destination from the egress hooks.
 */
static int
set_proxy(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    char *proxy = r->proxy != NULL ? url_proxy_for_libcurl(r->proxy) : NULL;
    CURLcode rc = SET(CURLOPT_PROXY, proxy != NULL ? proxy : "");

    free(proxy);
    if (rc != CURLE_OK || (r->proxy != NULL && proxy == NULL))
        return failure_no_memory(&f->failure);
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (r->proxy == NULL)
        return 0;
    SET(CURLOPT_PROXYPORT, (long)url_proxy_usual_port(r->proxy));
    if (r->proxy_auth.user == NULL)
        return 0;
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PROXYUSERNAME, r->proxy_auth.user);
    SET(CURLOPT_PROXYPASSWORD, r->proxy_auth.password);
    return 0;
}

/*
 * libcurl with GnuTLS has certificates from files only.  They are not kept for later connections:
 * it keeps those of one file, and these would drive out the system's, which take longer to read.
 */
static int
set_ca_path(struct curlew_fetch *f, struct ca_bundle *ca)
{
    const char *path = ca_store_path(ca, &f->failure);

    if (path == NULL)
        return -1;
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    return SET(CURLOPT_CAINFO, path) == CURLE_OK ? 0 : failure_no_memory(&f->failure);
}

/* These alone: neither the system's file nor its directory.  libcurl compares the whole text. */
static int
set_ca(struct curlew_fetch *f, struct ca_bundle *ca)
{
    struct curl_blob blob = { ca->pem, ca->size, CURL_BLOB_COPY };
    CURLcode rc = SET(CURLOPT_CAINFO_BLOB, &blob);

    SET(CURLOPT_CAPATH, NULL);
    if (rc == CURLE_OUT_OF_MEMORY)
        return failure_no_memory(&f->failure);
    if (rc != CURLE_OK)
        return set_ca_path(f, ca);
    SET(CURLOPT_CAINFO, NULL);
    return 0;
}

static int
set_trust(struct curlew_fetch *f)
{
    const struct session_config *config = &f->session->settings;

    SET(CURLOPT_SSL_VERIFYPEER, f->request.verify ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, f->request.verify ? 2L : 0L);
    if (f->request.ca != NULL && f->request.verify)
        return set_ca(f, f->request.ca);
    if (config->ca_file != NULL) {
        SET(CURLOPT_CAINFO, config->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* GnuTLS would read all of it for each connection */
        /* The file's content may change, and with it who is trusted. */
        SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    } else if (system_ca_file() != NULL) {
        SET(CURLOPT_CAINFO, system_ca_file());
    }
    return 0;
}

/* TLS 1.3's suites, whose names begin with TLS_, are a list of their own. */
static int
set_ciphers(struct curlew_fetch *f, const char *names)
{
    struct buffer lists[2];
    CURLcode rc = CURLE_OK;

    buffer_init(&lists[0], SIZE_MAX / 2);
    buffer_init(&lists[1], SIZE_MAX / 2);
    for (size_t n; *names != '\0'; names += n + (names[n] == ':')) {
        struct buffer *to = &lists[strncmp(names, "TLS_", 4) == 0];

        n = strcspn(names, ":");
        buffer_adds(to, to->len > 0 ? ":" : "");
        buffer_add(to, names, n);
    }
    if (lists[0].len > 0)
        rc = SET(CURLOPT_SSL_CIPHER_LIST, lists[0].data);
    if (lists[1].len > 0 && rc == CURLE_OK)
        rc = SET(CURLOPT_TLS13_CIPHERS, lists[1].data);
    if (!buffer_ok(&lists[0]) || !buffer_ok(&lists[1]) || rc == CURLE_OUT_OF_MEMORY)
        failure_no_memory(&f->failure);
    else if (rc != CURLE_OK)
        failure_set(&f->failure, ERROR_UNSUPPORTED, "ciphers: not supported by this libcurl");
    buffer_free(&lists[0]);
    buffer_free(&lists[1]);
    return f->failure.error == ERROR_NONE ? 0 : -1;
}

static int
set_tls_level(struct curlew_fetch *f)
{
    static const long versions[] = {
        [TLS_1_0] = CURL_SSLVERSION_TLSv1_0,
        [TLS_1_1] = CURL_SSLVERSION_TLSv1_1,
        [TLS_1_2] = CURL_SSLVERSION_TLSv1_2,
        [TLS_1_3] = CURL_SSLVERSION_TLSv1_3,
    };
    const struct session_config *config = &f->session->settings;

    if (config->tls_min != TLS_ANY && versions[config->tls_min] > fingerprint_tls_min(&f->request))
        SET(CURLOPT_SSLVERSION, versions[config->tls_min]);
    return config->ciphers != NULL ? set_ciphers(f, config->ciphers) : 0;
}

static void
set_client_certificate(struct curlew_fetch *f)
{
    const struct session_config *config = &f->session->settings;

    if (!fetch_may_lend(f)) /* the client certificate is the session's, too */
        return;
    if (config->client_cert != NULL)
        SET(CURLOPT_SSLCERT, config->client_cert);
    if (config->client_key != NULL)
        SET(CURLOPT_SSLKEY, config->client_key);
}

static bool
is_unreadable(const char *path)
{
    return path != NULL && access(path, R_OK) != 0;
}

const char *
connection_options_unreadable(const struct curlew_fetch *f)
{
    const struct session_config *config = &f->session->settings;

    if (!fetch_may_lend(f))
        return NULL;
    return is_unreadable(config->client_cert)  ? "client_cert"
           : is_unreadable(config->client_key) ? "client_key"
                                               : NULL;
}

static int
set_http_version(struct curlew_fetch *f)
{
    static const long versions[] = {
        [HTTP_AUTO] = CURL_HTTP_VERSION_2TLS,
        [HTTP_1_1] = CURL_HTTP_VERSION_1_1,
        [HTTP_2] = CURL_HTTP_VERSION_2_0,
        [HTTP_2_PRIOR_KNOWLEDGE] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
        [HTTP_3] = CURL_HTTP_VERSION_3,
        [HTTP_3_ONLY] = CURL_HTTP_VERSION_3ONLY,
    };
    enum http_version v = f->request.http_version;
    bool is_http2 = v == HTTP_2 || v == HTTP_2_PRIOR_KNOWLEDGE;
    bool is_http3 = v == HTTP_3 || v == HTTP_3_ONLY;

    if ((is_http2 && !curl_features_has_http2()) || (is_http3 && !curl_features_has_http3()))
        return failure_set(&f->failure, ERROR_UNSUPPORTED,
                           "http_version: this libcurl is built without HTTP/%d", is_http2 ? 2 : 3);
    if (v != HTTP_AUTO || f->request.impersonate == NULL || f->request.akamai != NULL)
        SET(CURLOPT_HTTP_VERSION, versions[v]);
    return 0;
}

bool
connection_options_is_h2c(const struct curlew_fetch *f)
{
    return fetch_may_multiplex(f) && strcmp(f->url.scheme, "http") == 0;
}

/*
 * Without TLS libcurl knows of HTTP/2 by the first response only.  On a connection that never had
 * one it would let others wait for that, without end: so until then the connection is not kept.
 */
void
connection_options_on_response(struct curlew_fetch *f)
{
    if (connection_options_is_h2c(f))
        SET(CURLOPT_FORBID_REUSE, 0L);
}

/* The first response, which h2c waits for, comes after all of an upload. */
static bool
is_slow_to_answer(const struct curlew_fetch *f)
{
    return f->upload != NULL && f->sends_body && connection_options_is_h2c(f);
}

static void
set_reuse(struct curlew_fetch *f)
{
    if (f->new_connection)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    f->hop->shares = fetch_may_multiplex(f) && !is_slow_to_answer(f);
    if (connection_options_is_h2c(f))
        SET(CURLOPT_FORBID_REUSE, 1L);
    if (f->hop->shares) /* else each of a burst would open its own, and only then know better */
        SET(CURLOPT_PIPEWAIT, 1L);
}

/*
 * An origin's machine that vanishes closes nothing.  A stream without an idle timeout would wait
 * for its total timeout, say a day; so it ends as recv_failed, a minute after the last byte.
 */
static void
set_keepalive(struct curlew_fetch *f)
{
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
    SET(CURLOPT_TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* Without its kind libcurl would take the name of an interface for a host's, and look that up. */
static int
set_interface(struct curlew_fetch *f, const char *interface)
{
    struct ip_address address;
    char text[64];

    snprintf(text, sizeof text, "%s%s", ip_address_parse(&address, interface) ? "host!" : "if!",
             interface);
    return SET(CURLOPT_INTERFACE, text) == CURLE_OK ? 0 : failure_no_memory(&f->failure);
}

/* The addresses of the entry for this URL; NULL: there is none. */
static const char *
find_addresses(const struct session_config *s, const struct url *u)
{
    size_t n = strlen(u->host);

    n -= n > 0 && u->host[n - 1] == '.';
    for (size_t i = 0; i < s->resolve_count; i++) {
        const char *entry = s->resolve[i];
        char *end;

        if (strncasecmp(entry, u->host, n) == 0 && entry[n] == ':' &&
            strtol(entry + n + 1, &end, 10) == u->port && *end == ':')
            return end + 1;
    }
    return NULL;
}

/*
 * All fetches of a thread share libcurl's cache of names.  So an address of `resolve` is not put
 * there under the host's name, where others would find it, but under one that stands for this entry
 * alone, to which the hop then connects.  libcurl keeps connections to it apart, too.
 */
static int
set_addresses(struct curlew_fetch *f, const char *addresses)
{
    const struct url *u = &f->url;
    uint64_t key = hash_text(hash_text(HASH_START, u->host), addresses);
    char alias[64], *line;

    snprintf(alias, sizeof alias, "resolve-%016" PRIx64 ".invalid:%d", key, u->port);
    /* "+": it times out like any other name in the cache. */
    if (asprintf(&line, "+%s:%s", alias, addresses) >= 0) {
        f->hop->resolve = curl_slist_append(NULL, line);
        free(line);
    }
    if (asprintf(&line, "::%s", alias) >= 0) {
        f->hop->connect_to = curl_slist_append(NULL, line);
        free(line);
    }
    if (f->hop->resolve == NULL || f->hop->connect_to == NULL)
        return failure_no_memory(&f->failure);
    SET(CURLOPT_CONNECT_TO, f->hop->connect_to); /* `resolve`: connection_options_start() */
    return 0;
}

static int
set_network(struct curlew_fetch *f)
{
    const struct session_config *s = &f->session->settings;
    const char *addresses = NULL;

    connection_options_release(f);
    if (s->interface != NULL && set_interface(f, s->interface) != 0)
        return -1;
    if (f->request.proxy == NULL) /* which resolves the name itself */
        addresses = find_addresses(s, &f->url);
    return addresses != NULL ? set_addresses(f, addresses) : 0;
}

int
connection_options_set(struct curlew_fetch *f)
{
    if (set_proxy(f) != 0 || set_trust(f) != 0 || set_tls_level(f) != 0 || set_network(f) != 0)
        return -1;
    set_client_certificate(f);
    set_reuse(f);
    set_keepalive(f);
    SET(CURLOPT_ADDRESS_SCOPE, egress_hooks_scope(f));
    return set_http_version(f);
}

void
connection_options_start(struct curlew_fetch *f)
{
    if (f->hop->resolve != NULL)
        SET(CURLOPT_RESOLVE, f->hop->resolve);
}

/* Without a start libcurl still has the list, and would read it in the handle's next hop. */
void
connection_options_release(struct curlew_fetch *f)
{
    if (f->hop->resolve == NULL && f->hop->connect_to == NULL)
        return;
    SET(CURLOPT_RESOLVE, NULL);
    SET(CURLOPT_CONNECT_TO, NULL);
    curl_slist_free_all(f->hop->resolve);
    curl_slist_free_all(f->hop->connect_to);
    f->hop->resolve = f->hop->connect_to = NULL;
}
