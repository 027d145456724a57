/*
 * egress_hooks.c - applies the egress rules where libcurl is about to connect, or to reuse a
 * connection.
 *
 * The open-socket callback sees the resolved address of every new connection, the pre-request
 * callback that of a reused one, which another fetch may have opened under other rules.
 */

#include "transfer/egress_hooks.h"

#include "transfer/connection_pool.h"
#include "transfer/hop.h"
#include "transfer/sent_once.h"
#include "util/hash.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

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

int
egress_hooks_check_url(struct curlew_fetch *f, const struct url *u)
{
    struct failure err = { 0 };

    if (egress_allows_url(f->config->egress, u->scheme, u->host, u->port, &err))
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

    if (egress_allows_address(f->config->egress, host_of(f), address, &err))
        return 0;
    return refuse(f, &err);
}

long
egress_hooks_scope(const struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    bool negotiated = r->http_version == HTTP_AUTO ||
                      (r->http_version == HTTP_2 && strcmp(f->url.scheme, "https") == 0);
    uint32_t scope = negotiated ? 0 : (uint32_t)r->http_version;
    uint64_t h = HASH_START;

    /* A literal address may have a zone of its own. */
    if (r->proxy == NULL && r->impersonate == NULL)
        return strchr(f->url.host, '%') == NULL ? (long)scope : 0;
    h = hash_text(hash_text(hash_text(h, r->proxy), r->proxy_auth.user), r->proxy_auth.password);
    h = hash_text(h, r->impersonate);
    return (long)((((uint32_t)(h ^ (h >> 32)) | 1) << 3) | scope);
}

static void
drop_scope(const struct curlew_fetch *f, struct sockaddr *address)
{
    if (address->sa_family == AF_INET6 && egress_hooks_scope(f) != 0)
        ((struct sockaddr_in6 *)address)->sin6_scope_id = 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct curlew_fetch *f = arg;
    int fd;

    (void)purpose;
    drop_scope(f, &a->addr);
    if (sent_once_on_open(f) != 0 || check_address(f, &a->addr) != 0)
        return CURL_SOCKET_BAD;
    fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd >= 0 && connection_pool_on_opened(f, fd) != 0) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
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
    curl_easy_setopt(f->hop->easy, CURLOPT_FORBID_REUSE, 1L);
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

static int
on_request(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct curlew_fetch *f = arg;
    uint64_t conn_id = conn_id_of(f->hop->easy);

    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (sent_once_check(f) != 0 || check_peer(f, remote_ip) != 0)
        return CURL_PREREQFUNC_ABORT;
    if (!connection_pool_is_usable(f->hop->pool, conn_id) || sent_once_needs_newer(f, conn_id))
        return refuse_connection(f);
    f->hop->requested = f->hop->expects_head = true;
    connection_pool_on_request(f, conn_id);
    sent_once_count(f, f->hop->pool->newest_id);
    if (list_empty(&f->hop->sockets))
        counter_add(&f->stats->connections_reused, 1);
    /* Another address of the same name may have been refused before this one. */
    f->failure = (struct failure){ 0 };
    return CURL_PREREQFUNC_OK;
}

void
egress_hooks_attach(struct curlew_fetch *f)
{
    sent_once_attach(f);
    curl_easy_setopt(f->hop->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(f->hop->easy, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(f->hop->easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(f->hop->easy, CURLOPT_PREREQDATA, f);
}
