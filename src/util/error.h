/*
 * error.h - everything that can go wrong with a request, named once.
 *
 * Each row: the name, the HTTP status a client sees, the code in the problem
 * document, its title.  docs/api.md shows the same table.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#define ERROR_TABLE(X)                                                                       \
    X(NONE, 200, "ok", "No error")                                                           \
    X(BAD_REQUEST, 400, "bad_request", "The request is malformed")                           \
    X(BAD_URL, 400, "bad_url", "The URL cannot be used")                                     \
    X(UNAUTHORIZED, 401, "unauthorized", "A valid bearer token is required")                 \
    X(BLOCKED, 403, "blocked", "The egress guard refused the destination")                   \
    X(FORBIDDEN, 403, "forbidden", "The caller may not do this")                             \
    X(NOT_FOUND, 404, "not_found", "No such route")                                          \
    X(UNKNOWN_SESSION, 404, "unknown_session", "No such session")                            \
    X(UNKNOWN_CA, 404, "unknown_ca", "No such certificates")                                 \
    X(METHOD_NOT_ALLOWED, 405, "method_not_allowed", "The route does not take this method")  \
    X(REQUEST_TOO_LARGE, 413, "request_too_large", "The request is larger than allowed")     \
    X(CANCELLED, 499, "cancelled", "The caller disconnected")                                \
    X(INTERNAL, 500, "internal", "The daemon could not carry out the request")               \
    X(UNSUPPORTED, 501, "unsupported", "The feature is not available in this build")         \
    X(DNS_FAILED, 502, "dns_failed", "The host name could not be resolved")                  \
    X(CONNECT_FAILED, 502, "connect_failed", "The connection could not be made")             \
    X(TLS_FAILED, 502, "tls_failed", "The TLS connection could not be made")                 \
    X(PROXY_FAILED, 502, "proxy_failed", "The proxy refused or failed")                      \
    X(PROTOCOL_ERROR, 502, "protocol_error", "The origin violated the protocol")             \
    X(TOO_MANY_REDIRECTS, 502, "too_many_redirects", "Too many redirects")                   \
    X(RESPONSE_TOO_LARGE, 502, "response_too_large", "The response is larger than allowed")  \
    X(INCOMPLETE_BODY, 502, "incomplete_body", "The response body is incomplete")            \
    X(SEND_FAILED, 502, "send_failed", "The request could not be sent completely")           \
    X(RECV_FAILED, 502, "recv_failed", "The response could not be received")                 \
    X(OVERLOADED, 503, "overloaded", "A limit has been reached")                             \
    X(DRAINING, 503, "draining", "The daemon is shutting down")                              \
    X(ORIGIN_UNAVAILABLE, 503, "origin_unavailable", "The origin's circuit breaker is open") \
    X(CONNECT_TIMEOUT, 504, "connect_timeout", "Connecting took too long")                   \
    X(TIMEOUT, 504, "timeout", "The fetch took too long")                                    \
    X(IDLE_TIMEOUT, 504, "idle_timeout", "The origin sent nothing for too long")

enum error {
#define X(name, status, code, title) ERROR_##name,
    ERROR_TABLE(X)
#undef X
        ERROR_COUNT
};

/* The HTTP status. */
int error_status(enum error e);

/* The word in `code`. */
const char *error_code(enum error e);

/* One sentence for people. */
const char *error_title(enum error e);

/* Seconds for Retry-After; 0: none. */
int error_retry_after(enum error e);

#endif
