/* connection_options.c - the connection of a hop: proxy, TLS, HTTP version, old or new. */

#include "transfer/connection_options.h"

#include "transfer/curl_features.h"
#include "transfer/egress_hooks.h"
#include "transfer/hop.h"

#define SET(option, value) curl_easy_setopt(f->hop->easy, option, value)

/*
 * "" and not NULL: libcurl would take proxies from the environment, and they would hide the
 * destination from the egress hooks.
 */
static void
set_proxy(struct curlew_fetch *f)
{
    const struct request *r = &f->request;

    SET(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (r->proxy == NULL || r->proxy_auth.user == NULL)
        return;
    SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PROXYUSERNAME, r->proxy_auth.user);
    SET(CURLOPT_PROXYPASSWORD, r->proxy_auth.password);
}

static void
set_tls(struct curlew_fetch *f)
{
    const struct session_config *config = &f->session->settings;

    SET(CURLOPT_SSL_VERIFYPEER, f->request.verify ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, f->request.verify ? 2L : 0L);
    if (config->ca_file != NULL) {
        SET(CURLOPT_CAINFO, config->ca_file);
        /* The file's content may change, and with it who is trusted. */
        SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
    if (config->client_cert != NULL)
        SET(CURLOPT_SSLCERT, config->client_cert);
    if (config->client_key != NULL)
        SET(CURLOPT_SSLKEY, config->client_key);
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
    };
    enum http_version v = f->request.http_version;
    bool is_http2 = v == HTTP_2 || v == HTTP_2_PRIOR_KNOWLEDGE;

    if ((is_http2 && !curl_features_has_http2()) || (v == HTTP_3 && !curl_features_has_http3()))
        return failure_set(&f->failure, ERROR_UNSUPPORTED,
                           "http_version: this libcurl is built without HTTP/%d", is_http2 ? 2 : 3);
    if (v != HTTP_AUTO || f->request.impersonate == NULL)
        SET(CURLOPT_HTTP_VERSION, versions[v]);
    return 0;
}

static void
set_reuse(struct curlew_fetch *f)
{
    if (f->new_connection)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    f->hop->shares = fetch_may_use_http2(f);
    if (f->hop->shares) /* else each of a burst would open its own, and only then know better */
        SET(CURLOPT_PIPEWAIT, 1L);
}

int
connection_options_set(struct curlew_fetch *f)
{
    set_proxy(f);
    set_tls(f);
    set_reuse(f);
    SET(CURLOPT_ADDRESS_SCOPE, egress_hooks_scope(f));
    return set_http_version(f);
}
