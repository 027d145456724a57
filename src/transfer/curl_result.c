/*
 * curl_result.c - the end of a hop: its figures, and what libcurl's result means in the terms of
 * the error table.
 */

#include "transfer/curl_result.h"

#include "libcurl/curl_memory.h"
#include "transfer/connection_options.h"
#include "transfer/hop.h"
#include "transfer/sent_once.h"
#include "transfer/upload_reader.h"
#include "util/clock.h"
#include "util/descriptors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* -- what a result means -------------------------------------------------- */

static const struct {
    CURLcode code;
    enum error error;
} meanings[] = {
    { CURLE_URL_MALFORMAT, ERROR_BAD_URL },
    { CURLE_UNSUPPORTED_PROTOCOL,
      ERROR_PROTOCOL_ERROR }, /* an HTTP/0.9 answer: the URL's scheme was checked before */
    { CURLE_NOT_BUILT_IN, ERROR_UNSUPPORTED },
    { CURLE_UNKNOWN_OPTION, ERROR_UNSUPPORTED },
    { CURLE_OUT_OF_MEMORY, ERROR_INTERNAL },
    { CURLE_FAILED_INIT, ERROR_INTERNAL },
    { CURLE_COULDNT_RESOLVE_HOST, ERROR_DNS_FAILED },
    { CURLE_COULDNT_RESOLVE_PROXY, ERROR_PROXY_FAILED },
    { CURLE_PROXY, ERROR_PROXY_FAILED },
    { CURLE_COULDNT_CONNECT, ERROR_CONNECT_FAILED },
    { CURLE_INTERFACE_FAILED, ERROR_CONNECT_FAILED },
    { CURLE_QUIC_CONNECT_ERROR, ERROR_CONNECT_FAILED },
    { CURLE_NO_CONNECTION_AVAILABLE, ERROR_CONNECT_FAILED },
    { CURLE_SSL_CONNECT_ERROR, ERROR_TLS_FAILED },
    { CURLE_SSL_ENGINE_NOTFOUND, ERROR_TLS_FAILED },
    { CURLE_SSL_ENGINE_SETFAILED, ERROR_TLS_FAILED },
    { CURLE_SSL_CERTPROBLEM, ERROR_TLS_FAILED },
    { CURLE_SSL_CIPHER, ERROR_TLS_FAILED },
    { CURLE_PEER_FAILED_VERIFICATION, ERROR_TLS_FAILED },
    { CURLE_SSL_ENGINE_INITFAILED, ERROR_TLS_FAILED },
    { CURLE_SSL_CACERT_BADFILE, ERROR_TLS_FAILED },
    { CURLE_SSL_SHUTDOWN_FAILED, ERROR_TLS_FAILED },
    { CURLE_SSL_CRL_BADFILE, ERROR_TLS_FAILED },
    { CURLE_SSL_ISSUER_ERROR, ERROR_TLS_FAILED },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, ERROR_TLS_FAILED },
    { CURLE_SSL_INVALIDCERTSTATUS, ERROR_TLS_FAILED },
    { CURLE_SSL_CLIENTCERT, ERROR_TLS_FAILED },
    { CURLE_USE_SSL_FAILED, ERROR_TLS_FAILED },
    /* libcurl is given the connect timeout only; the others are f->timer's. */
    { CURLE_OPERATION_TIMEDOUT, ERROR_CONNECT_TIMEOUT },
    { CURLE_PARTIAL_FILE, ERROR_INCOMPLETE_BODY },
    { CURLE_SEND_ERROR, ERROR_SEND_FAILED },
    { CURLE_SEND_FAIL_REWIND, ERROR_SEND_FAILED },
    { CURLE_READ_ERROR, ERROR_SEND_FAILED },
    { CURLE_RECV_ERROR, ERROR_RECV_FAILED },
    { CURLE_GOT_NOTHING, ERROR_RECV_FAILED },
};

enum error
curl_result_error(CURLcode code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].code == code)
            return meanings[i].error;
    return ERROR_PROTOCOL_ERROR; /* HTTP/2, HTTP/3, content encoding, a reply that is no HTTP, … */
}

/* -- what the hop was like ----------------------------------------------- */

static double
seconds_of(CURL *easy, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, what, &us);
    return (double)us / US_PER_SECOND;
}

void
curl_result_read_timing(struct curlew_fetch *f)
{
    struct response *r = &f->response;
    struct timing *t = &r->timing;
    long opened = 1, version = 0, port = 0, local_port = 0;
    char *ip = NULL, *local_ip = NULL;

    curl_easy_getinfo(f->hop->easy, CURLINFO_NUM_CONNECTS, &opened);
    curl_easy_getinfo(f->hop->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(f->hop->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(f->hop->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(f->hop->easy, CURLINFO_LOCAL_IP, &local_ip);
    curl_easy_getinfo(f->hop->easy, CURLINFO_LOCAL_PORT, &local_port);
    t->dns = seconds_of(f->hop->easy, CURLINFO_NAMELOOKUP_TIME_T);
    t->connect = seconds_of(f->hop->easy, CURLINFO_CONNECT_TIME_T);
    t->tls = seconds_of(f->hop->easy, CURLINFO_APPCONNECT_TIME_T);
    t->first_byte = seconds_of(f->hop->easy, CURLINFO_STARTTRANSFER_TIME_T);
    r->reused = opened == 0 && f->hop->requested;
    r->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
                      : version == CURL_HTTP_VERSION_1_1 ? 11
                      : version == CURL_HTTP_VERSION_2_0 ? 20
                      : version == CURL_HTTP_VERSION_3   ? 30
                                                         : 0;
    snprintf(r->remote_ip, sizeof r->remote_ip, "%s", ip != NULL ? ip : "");
    snprintf(r->local_ip, sizeof r->local_ip, "%s", local_ip != NULL ? local_ip : "");
    r->remote_port = (int)port;
    r->local_port = (int)local_port;
}

/* A handle that is kept has those of its last hop until libcurl takes up the next one. */
static void
read_figures(struct curlew_fetch *f)
{
    curl_off_t sent = 0;

    if (!f->hop->begun)
        return;
    curl_easy_getinfo(f->hop->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    f->response.bytes_sent += upload_reader_bytes_sent(f, sent);
    /* Once the head is published, the timing was read, and belongs to the stream's reader. */
    if (f->pipe == NULL || !body_pipe_has_head(f->pipe))
        curl_result_read_timing(f);
}

/* libcurl 8.23 has no other word for a client's key that it can't use. */
static bool
is_key_failure(const struct curlew_fetch *f, CURLcode result)
{
    return result == CURLE_BAD_FUNCTION_ARGUMENT && !f->hop->requested &&
           strcmp(f->url.scheme, "https") == 0;
}

/* Until the request goes out, it is the proxy that fails to connect, closes, or talks nonsense. */
static bool
is_proxy_failure(const struct curlew_fetch *f, enum error e)
{
    return f->proxy_host != NULL && !f->hop->requested &&
           (e == ERROR_CONNECT_FAILED || e == ERROR_SEND_FAILED || e == ERROR_RECV_FAILED ||
            e == ERROR_PROTOCOL_ERROR);
}

/*
 * A connection that breaks before the request goes out, breaks in its handshake.  libcurl with
 * GnuTLS has no word of TLS for that.
 */
static bool
is_handshake_failure(const struct curlew_fetch *f, enum error e)
{
    return strcmp(f->url.scheme, "https") == 0 && !f->hop->requested &&
           (e == ERROR_SEND_FAILED || e == ERROR_RECV_FAILED);
}

/*
 * libcurl has one code for a connection that breaks and for chunks that it can't read, and none of
 * the protocol for what is too long.  -1: it is one of these, and f->failure is set.
 */
static int
check_malformed(struct curlew_fetch *f, CURLcode result, const char *text)
{
    if (result == CURLE_RECV_ERROR && strcasestr(text, "chunk") != NULL)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "the chunks of Transfer-Encoding are malformed: %s", text);
    if ((result == CURLE_TOO_LARGE || result == CURLE_OUT_OF_MEMORY) && f->hop->requested)
        return failure_set(&f->failure, ERROR_PROTOCOL_ERROR,
                           "a line of the response's head or trailers is too long");
    if (result == CURLE_TOO_MANY_REDIRECTS) /* its own are authentication's alone */
        return failure_set(
            &f->failure, ERROR_PROTOCOL_ERROR,
            "the origin says of each nonce of digest authentication that it is stale");
    return 0;
}

/*
 * A look-up, or a file of certificates, for which no descriptor was left: libcurl has no code for
 * that.  Nothing was wrong with the origin.
 */
static bool
lacked_descriptor(const struct curlew_fetch *f, CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
        return !f->hop->requested && descriptors_are_short();
    default:
        return false;
    }
}

/* -1: the files of the client certificate have vanished since the start, and f->failure is set. */
static int
check_client_certificate(struct curlew_fetch *f, enum error e)
{
    const char *key = NULL;

    if (e == ERROR_TLS_FAILED && !f->hop->requested)
        key = connection_options_unreadable(f);
    return key == NULL ? 0
                       : failure_set(&f->failure, e, "%s, the file of the client certificate: %s",
                                     key, strerror(errno));
}

static void
set_failure(struct curlew_fetch *f, CURLcode result)
{
    const char *text =
        f->hop->curl_error[0] != '\0' ? f->hop->curl_error : curl_easy_strerror(result);
    enum error e = curl_result_error(result);

    if (f->failure.error != ERROR_NONE)
        return; /* a callback of ours has stopped the transfer, and set it */
    e = is_key_failure(f, result)    ? ERROR_TLS_FAILED
        : is_proxy_failure(f, e)     ? ERROR_PROXY_FAILED
        : is_handshake_failure(f, e) ? ERROR_TLS_FAILED
                                     : e;
    if (curl_memory_failures() != f->hop->memory_failures) /* whatever it led to */
        failure_set(&f->failure, ERROR_INTERNAL, "libcurl had no memory: %s", text);
    else if (lacked_descriptor(f, result))
        descriptors_fail(&f->failure);
    else if (f->hop->addresses > HOP_ADDRESSES_MAX && result == CURLE_COULDNT_CONNECT)
        failure_set(&f->failure, e, "none of the name's first %d addresses answers: %s",
                    HOP_ADDRESSES_MAX, text);
    else if (check_malformed(f, result, text) == 0 && check_client_certificate(f, e) == 0)
        failure_set(&f->failure, e, "%s", text);
    f->failure.curl_code = (int)result;
}

/*
 * Beside options libcurl keeps in a handle how often it has tried again, and what the origin has
 * said of authentication.
 */
static bool
leaves_nothing(const struct curlew_fetch *f, CURLcode result)
{
    int status = f->response.head.status;
    enum http_version v = f->request.http_version;

    if (v == HTTP_3 || v == HTTP_3_ONLY) /* beside TCP: too much to be sure of */
        return false;
    return result == CURLE_OK && f->failure.error == ERROR_NONE && f->hop->requests == 1 &&
           f->hop->restarts == 0 && !f->hop->challenged && status != 401 && status != 407;
}

void
curl_result_apply(struct curlew_fetch *f, CURLcode result)
{
    if (leaves_nothing(f, result))
        easy_options_on_good_end(&f->hop->options);
    /* The reader has cut the body short, as another attempt follows. */
    if (f->hop->verdict == HEAD_RETRY && result == CURLE_WRITE_ERROR)
        result = CURLE_OK;
    read_figures(f);
    f->response.timing.total = (double)(clock_us() - f->submitted_us) / US_PER_SECOND;
    if (result != CURLE_OK || f->failure.error != ERROR_NONE) {
        set_failure(f, result);
        sent_once_correct_failure(f);
    }
}
