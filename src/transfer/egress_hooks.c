/*
 * egress_hooks.c - applies the egress rules where libcurl is about to connect, or to reuse a
 * connection.
 *
 * The open-socket callback sees the resolved address of every new connection, the pre-request
 * callback that of a reused one, which another fetch may have opened under other rules.
 */

#include "transfer/egress_hooks.h"

#include "egress/ip_address.h"
#include "libcurl/curl_memory.h"
#include "transfer/connection_pool.h"
#include "transfer/hop.h"
#include "transfer/sent_once.h"
#include "util/hash.h"

#include <arpa/inet.h>
#include <string.h>

/* Refuse, unless the rules only report: then log it, and let it pass. */
static int
refuse(struct curlew_fetch *f, const struct failure *err)
{
    if (egress_is_report_only(f->config->egress)) {
        counter_add(&f->stats->guard_reports, 1);
        log_sink_printf(&f->config->log, LOG_WARNING, "egress.report_only: would refuse: %s",
                        err->detail);
        return 0;
    }
    counter_add(&f->stats->guard_refusals, 1);
    return failure_set(&f->failure, err->error, "%s", err->detail);
}

static bool
check_behind_proxy(const struct curlew_fetch *f, const char *host, struct failure *err)
{
    bool resolves = session_lets_resolve(&f->session->settings, f->request.proxy);

    return egress_allows_behind_proxy(f->config->egress, host, resolves, err);
}

int
egress_hooks_check_url(struct curlew_fetch *f, const struct url *u)
{
    struct failure err = { 0 };

    if (!egress_allows_url(f->config->egress, u->scheme, u->host, u->port, &err))
        return refuse(f, &err);
    if (f->request.proxy == NULL || check_behind_proxy(f, u->host, &err))
        return 0;
    return refuse(f, &err);
}

/* The request's own wish: it holds even where the rules only report. */
static int
refuse_redirect(struct curlew_fetch *f, const struct failure *err)
{
    counter_add(&f->stats->guard_refusals, 1);
    return failure_set(&f->failure, err->error, "%s", err->detail);
}

int
egress_hooks_check_redirect(struct curlew_fetch *f, const struct url *u)
{
    struct failure err = { 0 };
    struct ip_address literal;

    if (egress_hooks_check_url(f, u) != 0)
        return -1;
    if (!f->request.redirects_public_only)
        return 0;
    if (!egress_allows_public_host(u->host, &err))
        return refuse_redirect(f, &err);
    if (f->request.proxy == NULL || ip_address_parse_host(&literal, u->host))
        return 0;
    failure_set(&err, ERROR_BLOCKED,
                "%.100s is resolved by the proxy: whether its address is public, as "
                "redirects_public_only demands, cannot be checked",
                u->host);
    return refuse_redirect(f, &err);
}

int
egress_hooks_check_proxy(struct curlew_fetch *f, int port)
{
    struct failure err = { 0 };

    if (egress_allows_proxy(f->config->egress, f->proxy_host, port, &err))
        return 0;
    return refuse(f, &err);
}

/* The name that the address was looked up for: the proxy's, where there is one. */
static const char *
host_of(const struct curlew_fetch *f)
{
    return f->proxy_host != NULL ? f->proxy_host : f->url.host;
}

static int
check_address(struct curlew_fetch *f, const struct sockaddr *address)
{
    struct failure err = { 0 };

    if (f->redirects > 0 && f->request.redirects_public_only && f->request.proxy == NULL &&
        !egress_allows_public_address(address, &err))
        return refuse_redirect(f, &err);
    if (egress_allows_address(f->config->egress, host_of(f), address, &err))
        return 0;
    return refuse(f, &err);
}

/* [fe80::1%25eth0]: a scope of its own, which libcurl does not count to the host. */
static bool
has_zone(const struct url *u)
{
    const char *end = strchr(u->host, ':') != NULL ? strchr(u->text, ']') : NULL;

    return end != NULL && memchr(u->text, '%', (size_t)(end - u->text)) != NULL;
}

long
egress_hooks_scope(const struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    const char *client_key = fetch_may_lend(f) ? f->session->settings.client_key : NULL;
    const char *interface = f->session->settings.interface;
    bool negotiated = r->http_version == HTTP_AUTO ||
                      (r->http_version == HTTP_2 && strcmp(f->url.scheme, "https") == 0);
    uint32_t scope = negotiated ? 0 : (uint32_t)r->http_version;
    uint64_t h = HASH_START;

    if (r->proxy == NULL && has_zone(&f->url))
        return 0;
    if (r->proxy == NULL && !request_is_disguised(r) && client_key == NULL && interface == NULL &&
        !f->session->settings.isolate)
        return (long)scope;
    h = hash_text(hash_text(hash_text(h, r->proxy), r->proxy_auth.user), r->proxy_auth.password);
    /* libcurl compares certificates, but not their keys (CVE-2026-8932). */
    h = hash_text(h, client_key);
    h = request_hash_fingerprint(hash_text(h, f->response.impersonated), r);
    h = hash_text(h, interface); /* which it compares one way only */
    if (f->session->settings.isolate)
        h = hash_number(h, f->session->state->id);
    return (long)((((uint32_t)(h ^ (h >> 32)) | 1) << 3) | scope);
}

static void
drop_scope(const struct curlew_fetch *f, struct sockaddr *address)
{
    if (address->sa_family == AF_INET6 && egress_hooks_scope(f) != 0)
        ((struct sockaddr_in6 *)address)->sin6_scope_id = 0;
}

/*
 * A message of DNS may hold four thousand addresses, and libcurl would try them all.  The failure
 * is libcurl's own: an attempt that is under way may still succeed.
 */
static bool
try_next_address(struct curlew_fetch *f)
{
    return f->hop->addresses++ < HOP_ADDRESSES_MAX;
}

/* libcurl goes without a proxy whose user or password it cannot decode, and says nothing. */
static int
check_way(struct curlew_fetch *f)
{
    long through_proxy = 1;

    if (f->request.proxy == NULL)
        return 0;
    curl_easy_getinfo(f->hop->easy, CURLINFO_USED_PROXY, &through_proxy);
    return through_proxy != 0
               ? 0
               : failure_set(&f->failure, ERROR_PROXY_FAILED, "libcurl did not take the proxy");
}

static curl_socket_t
on_open(void *hop, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct curlew_fetch *f = ((struct hop *)hop)->fetch;

    (void)purpose;
    f->hop->begun = true;
    drop_scope(f, &a->addr);
    if (check_way(f) != 0 || !try_next_address(f) || sent_once_on_open(f) != 0 ||
        check_address(f, &a->addr) != 0)
        return CURL_SOCKET_BAD;
    return connection_pool_open(f, a->family, a->socktype, a->protocol);
}

/* libcurl's number of the connection, from 1. */
static uint64_t
conn_id_of(CURL *easy)
{
    curl_off_t id = -1;

    curl_easy_getinfo(easy, CURLINFO_CONN_ID, &id);
    return (uint64_t)(id + 1);
}

/* Repeat the hop on another connection: nothing was written on this one, which libcurl closes. */
static int
refuse_connection(struct curlew_fetch *f)
{
    f->hop->restart = true;
    hop_set(f->hop, CURLOPT_FORBID_REUSE, 1L);
    return CURL_PREREQFUNC_ABORT;
}

static int
check_peer(struct curlew_fetch *f, const char *remote_ip)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET };

    if (inet_pton(AF_INET, remote_ip, &four.sin_addr) == 1)
        return check_address(f, (const struct sockaddr *)&four);
    if (inet_pton(AF_INET6, remote_ip, &six.sin6_addr) == 1)
        return check_address(f, (const struct sockaddr *)&six);
    return failure_set(&f->failure, ERROR_BLOCKED,
                       "\"%.64s\" is no address that the egress rules can check", remote_ip);
}

/* A query that libcurl had no memory for would be left out (8.14): nothing goes out then. */
static int
check_memory(struct curlew_fetch *f)
{
    return curl_memory_failures() == f->hop->memory_failures ? 0 : failure_no_memory(&f->failure);
}

/* One that was opened since the first writing may have ended by now as well. */
static bool
is_kept_http1(const struct curlew_fetch *f, uint64_t conn_id)
{
    return list_empty(&f->hop->sockets) && connection_pool_was_http1(f->hop->pool, conn_id);
}

static int
on_request(void *hop, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct curlew_fetch *f = ((struct hop *)hop)->fetch;
    uint64_t conn_id = conn_id_of(f->hop->easy);

    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    f->hop->begun = true;
    f->hop->requests++;
    if (check_memory(f) != 0 || sent_once_check(f) != 0 || check_peer(f, remote_ip) != 0)
        return CURL_PREREQFUNC_ABORT;
    if (!connection_pool_is_usable(f->hop->pool, conn_id) ||
        sent_once_needs_newer(f, conn_id, is_kept_http1(f, conn_id)))
        return refuse_connection(f);
    f->hop->requested = f->hop->expects_head = true;
    f->hop->continued = false;
    connection_pool_on_request(f, conn_id);
    f->hop->kept = list_empty(&f->hop->sockets);
    sent_once_count(f, f->hop->pool->newest_id);
    if (f->hop->kept)
        counter_add(&f->stats->connections_reused, 1);
    /* Another address of the same name may have been refused before this one. */
    f->failure = (struct failure){ 0 };
    f->hop->events->on_connected(f);
    return CURL_PREREQFUNC_OK;
}

void
egress_hooks_attach(struct curlew_fetch *f)
{
    sent_once_attach(f);
    hop_set(f->hop, CURLOPT_OPENSOCKETFUNCTION, on_open);
    hop_set(f->hop, CURLOPT_OPENSOCKETDATA, f->hop);
    hop_set(f->hop, CURLOPT_PREREQFUNCTION, on_request);
    hop_set(f->hop, CURLOPT_PREREQDATA, f->hop);
}
