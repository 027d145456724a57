/* config_session.c - named sessions: a saved request, and what only a session has. */

#include "message/config_session.h"

#include "egress/egress_config.h"
#include "egress/egress_rule.h"
#include "egress/ip_address.h"
#include "http/url.h"
#include "message/field_json.h"
#include "message/request_json.h"
#include "util/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES 64
#define PROXIES_MAX    1000

#define RESOLVE_MAX           1000
#define RESOLVE_ADDRESSES_MAX 16
#define INTERFACE_NAME_MAX    15 /* the kernel's */

#define BREAKER_FAILURES     5 /* of a breaker that doesn't say */
#define BREAKER_OPEN_SECONDS 10

/* -- one session -------------------------------------------------------- */

bool
config_session_name_valid(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(name, allowed);

    return n >= 1 && n <= NAME_MAX_BYTES && name[n] == '\0';
}

/* Of the session itself (group NULL), or "breaker.NAME". */
static const struct field *
find_field(const char *group, const char *name)
{
    char dotted[64];

    if (group == NULL)
        return strchr(name, '.') == NULL ? session_config_find(name) : NULL;
    snprintf(dotted, sizeof dotted, "%s.%s", group, name);
    return session_config_find(dotted);
}

/* An object is what turns it on, even an empty one. */
static int
read_breaker(struct session_config *s, const struct json_path *at, const json_t *object,
             struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of failures and open_seconds");
    s->breaker.failures = BREAKER_FAILURES;
    s->breaker.open_seconds = BREAKER_OPEN_SECONDS;
    json_object_foreach((json_t *)object, name, value)
    {
        const struct field *f = find_field(at->name, name);
        struct json_path here = { at, name, 0 };

        if (f == NULL)
            return json_path_unknown_key(&here, err);
        if (field_json_read(s, f, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
check_proxy(const char *proxy, const struct json_path *at, struct failure *err)
{
    struct failure inner = { 0 };
    int port;
    char *host = url_proxy_host(proxy, &port, &inner);

    free(host);
    if (inner.error == ERROR_INTERNAL)
        return failure_no_memory(err);
    return host != NULL ? 0 : json_path_refuse(at, err, "%s", inner.detail + strlen("proxy: "));
}

static int
read_proxies(struct session_config *s, const struct json_path *at, const json_t *value,
             struct failure *err)
{
    if (json_array_size(value) > PROXIES_MAX)
        return json_path_refuse(at, err, "over %d proxies", PROXIES_MAX);
    if (field_json_texts(&s->proxies, &s->proxy_count, value, at, err) != 0)
        return -1;
    for (size_t i = 0; i < s->proxy_count; i++) {
        struct json_path here = { at, NULL, i };

        if (check_proxy(s->proxies[i], &here, err) != 0)
            return -1;
    }
    return 0;
}

/* Rules as in egress.allow, but for networks: a session's secrets are for hosts. */
static int
read_hosts(struct session_config *s, const struct json_path *at, const json_t *value,
           struct failure *err)
{
    struct egress_rule_list rules;
    struct failure inner = { 0 };

    if (field_json_texts(&s->hosts, &s->host_count, value, at, err) != 0)
        return -1;
    if (s->host_count == 0)
        return json_path_refuse(at, err, "expected at least one host name, address or *.suffix");
    for (size_t i = 0; i < s->host_count; i++) {
        struct json_path here = { at, NULL, i };

        if (strchr(s->hosts[i], '/') != NULL)
            return json_path_refuse(&here, err, "expected a host name, an address or *.suffix");
    }
    if (egress_rule_list_init(&rules, s->hosts, s->host_count, at->name, &inner) != 0)
        return json_path_pass(at->parent, &inner, err);
    egress_rule_list_destroy(&rules);
    return 0;
}

/* "host:port" of a key, in lower case.  false: it is none. */
static bool
add_host_and_port(struct buffer *entry, const char *key)
{
    size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    const char *port = key + n + 1;

    if (n == 0 || n > 255 || key[n] != ':' || *port == '0' || *port == '\0' ||
        strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 || atoi(port) > 65535)
        return false;
    for (size_t i = 0; key[i] != '\0'; i++)
        buffer_addc(entry, (char)tolower((unsigned char)key[i]));
    return true;
}

static int
add_addresses(struct buffer *entry, const struct json_path *at, const json_t *list,
              struct failure *err)
{
    struct ip_address address;

    if (json_array_size(list) == 0 || json_array_size(list) > RESOLVE_ADDRESSES_MAX)
        return json_path_refuse(at, err, "expected a list of 1 to %d addresses",
                                RESOLVE_ADDRESSES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct json_path here = { at, NULL, i };
        bool is_ipv6;

        if (text == NULL || !ip_address_parse(&address, text))
            return json_path_refuse(&here, err, "expected an IPv4 or IPv6 address");
        is_ipv6 = strchr(text, ':') != NULL;
        buffer_addc(entry, i == 0 ? ':' : ',');
        buffer_adds(entry, is_ipv6 ? "[" : "");
        buffer_adds(entry, text);
        buffer_adds(entry, is_ipv6 ? "]" : "");
    }
    return 0;
}

static int
read_resolve(struct session_config *s, const struct json_path *at, const json_t *object,
             struct failure *err)
{
    const char *key;
    json_t *list;

    if (!json_is_object(object) || json_object_size(object) > RESOLVE_MAX)
        return json_path_refuse(at, err, "expected an object of at most %d \"host:port\"",
                                RESOLVE_MAX);
    json_object_foreach((json_t *)object, key, list)
    {
        struct json_path here = { at, key, 0 };
        struct buffer entry;
        int rc = 0;

        buffer_init(&entry, SIZE_MAX / 2);
        if (!add_host_and_port(&entry, key))
            rc = json_path_refuse(&here, err, "expected \"host:port\", with the name of a host");
        if (rc == 0)
            rc = add_addresses(&entry, &here, list, err);
        if (rc == 0 && (!buffer_ok(&entry) ||
                        egress_config_add(&s->resolve, &s->resolve_count, entry.data) != 0))
            rc = failure_no_memory(err);
        buffer_free(&entry);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int
read_key(struct session_config *s, const struct json_path *at, const json_t *value,
         struct failure *err)
{
    const struct field *f = find_field(NULL, at->name);
    int rc;

    if (f != NULL && f->kind == SESSION_GROUP)
        return read_breaker(s, at, value, err);
    if (f != NULL && f->kind == SESSION_PROXIES)
        return read_proxies(s, at, value, err);
    if (f != NULL && f->kind == SESSION_HOSTS)
        return read_hosts(s, at, value, err);
    if (f != NULL && f->kind == SESSION_RESOLVE)
        return read_resolve(s, at, value, err);
    if (f != NULL)
        return field_json_read(s, f, value, at, err);
    rc = request_json_read_default(&s->defaults, at, value, err);
    return rc == 1 ? json_path_unknown_key(at, err) : rc;
}

/* Of characters that mean something else to libcurl, or to OpenSSL's own configuration. */
static int
check_texts(const struct session_config *s, const struct json_path *at, struct failure *err)
{
    static const char words[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_-.:";
    struct json_path ciphers = { at, "ciphers", 0 }, interface = { at, "interface", 0 };
    struct ip_address address;

    if (s->ciphers != NULL && s->ciphers[strcspn(s->ciphers, " ,;\t\r\n")] != '\0')
        return json_path_refuse(&ciphers, err, "expected names of ciphers with colons between");
    if (s->interface != NULL && !ip_address_parse(&address, s->interface) &&
        (strlen(s->interface) > INTERFACE_NAME_MAX ||
         strspn(s->interface, words) != strlen(s->interface)))
        return json_path_refuse(&interface, err,
                                "expected the name of a network interface, or an address");
    return 0;
}

/* Keys that mean nothing alone, and values that show whole only at the end. */
static int
check_session(const struct session_config *s, const struct json_path *at, struct failure *err)
{
    struct json_path key = { at, "client_key", 0 }, burst = { at, "burst", 0 };
    struct json_path proxy = { at, "proxy", 0 };

    if (s->client_key != NULL && s->client_cert == NULL)
        return json_path_refuse(&key, err, "requires client_cert");
    if (s->rate_limit.burst > 1 && s->rate_limit.rate <= 0)
        return json_path_refuse(&burst, err, "requires rate_per_origin");
    if (s->defaults.proxy != NULL && check_proxy(s->defaults.proxy, &proxy, err) != 0)
        return -1;
    return check_texts(s, at, err);
}

static int
read_session(struct session_config *s, const char *name, const json_t *object,
             const struct json_path *at, struct failure *err)
{
    const char *key;
    json_t *value;

    if (!config_session_name_valid(name))
        return json_path_refuse(
            at, err, "a session's name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
    if (!json_is_object(object))
        return json_path_refuse(at, err, "a session is a JSON object");
    json_object_foreach((json_t *)object, key, value)
    {
        struct json_path here = { at, key, 0 };

        if (read_key(s, &here, value, err) != 0)
            return -1;
    }
    if (check_session(s, at, err) != 0)
        return -1;
    free(s->name);
    s->name = strdup(name);
    return s->name == NULL ? failure_no_memory(err) : 0;
}

int
config_session_read(struct session_config *s, const char *name, const json_t *object,
                    struct failure *err)
{
    return read_session(s, name, object, NULL, err);
}

/* -- the file's "sessions" ---------------------------------------------- */

/* "default" is there already; any other begins from the safe defaults, not from it. */
static struct session_config *
find_or_add(struct engine_config *e, const char *name)
{
    struct session_config *p;

    for (size_t i = 0; i < e->session_count; i++)
        if (strcmp(e->sessions[i].name, name) == 0)
            return &e->sessions[i];
    if ((p = realloc(e->sessions, (e->session_count + 1) * sizeof *p)) == NULL)
        return NULL;
    e->sessions = p;
    session_config_init(&p[e->session_count]);
    return &p[e->session_count++];
}

int
config_session_read_all(struct engine_config *e, const json_t *object, const struct json_path *at,
                        struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of name to session");
    json_object_foreach((json_t *)object, name, value)
    {
        struct json_path here = { at, name, 0 };
        struct session_config *s = find_or_add(e, name);

        if (s == NULL)
            return failure_no_memory(err);
        /* The limits may come behind: config_session_check_all() asks for them. */
        s->defaults.most = (struct request_limits){ INT_MAX, INT_MAX, INT_MAX, INT_MAX };
        if (read_session(s, name, value, &here, err) != 0)
            return -1;
    }
    return 0;
}

static int
check_counts(const struct request *r, const struct request_limits *most, const char *name,
             struct failure *err)
{
    const struct json_path sessions = { NULL, "sessions", 0 }, at = { &sessions, name, 0 };
    struct failure inner = { 0 };

    /* Each may be as many as `most`: so one less leaves room for one more. */
    if ((r->headers.count > 0 &&
         request_check_count("headers", r->headers.count - 1, most->headers, &inner) != 0) ||
        (r->forward.count > 0 &&
         request_check_count("forward_headers", r->forward.count - 1, most->headers, &inner)) ||
        (r->cookies.count > 0 &&
         request_check_count("cookies", r->cookies.count - 1, most->cookies, &inner) != 0))
        return json_path_pass(&at, &inner, err);
    return 0;
}

int
config_session_check_all(const struct engine_config *e, struct failure *err)
{
    const struct limits *limits = &e->limits;
    int64_t all = 0;

    for (size_t i = 0; i < e->session_count; i++) {
        const struct session_config *s = &e->sessions[i];
        int64_t bytes = session_config_bytes(s);

        if (check_counts(&s->defaults, &limits->request, s->name, err) != 0)
            return -1;
        if (bytes > limits->session_bytes)
            return failure_set(err, ERROR_BAD_REQUEST,
                               "sessions.%s: takes %lld bytes, over %lld (limits.session_bytes)",
                               s->name, (long long)bytes, (long long)limits->session_bytes);
        all += bytes;
    }
    if (all > limits->sessions_bytes)
        return failure_set(err, ERROR_BAD_REQUEST,
                           "sessions: take %lld bytes together, over %lld (limits.sessions_bytes)",
                           (long long)all, (long long)limits->sessions_bytes);
    return 0;
}

/* Not an error: it is read for each new connection, and may be there by then. */
static void
warn_of_file(const struct session_config *s, const char *key, const char *path)
{
    char byte;
    int fd;

    if (path == NULL)
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || read(fd, &byte, 1) < 0)
        log_warning("sessions.%s.%s %.1000s: %s", s->name, key, path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void
config_session_warn_of_files(const struct engine_config *e)
{
    for (size_t i = 0; i < e->session_count; i++) {
        const struct session_config *s = &e->sessions[i];

        warn_of_file(s, "ca_file", s->ca_file);
        warn_of_file(s, "client_cert", s->client_cert);
        warn_of_file(s, "client_key", s->client_key);
    }
}
