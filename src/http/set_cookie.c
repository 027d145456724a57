/* set_cookie.c - one Set-Cookie field, as RFC 6265 section 5 and 6265bis read it. */

#include "http/set_cookie.h"

#include "http/cookie_match.h"
#include "http/public_suffix.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ATTRIBUTE_BYTES_MAX 1024                /* a longer one is ignored (6265bis 5.6) */
#define MAX_AGE_MAX         (400 * 24 * 3600LL) /* no cookie lives longer (6265bis 5.6.2) */

struct span {
    const char *at;
    size_t n;
};

/* -- dates: RFC 6265 section 5.1.1 ------------------------------------------ */

struct date {
    int second, minute, hour, day, month, year; /* -1: not found yet; month from 1 */
};

static bool
is_delimiter(unsigned char c)
{
    return c == 0x09 || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) ||
           (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/* A number of `least` to `most` digits at the start, then no digit; how many there were, or 0. */
static size_t
read_number(const char *s, size_t n, size_t least, size_t most, int *value)
{
    size_t i = 0;

    *value = 0;
    for (; i < n && isdigit((unsigned char)s[i]); i++)
        if (i < most)
            *value = *value * 10 + (s[i] - '0');
    return i >= least && i <= most ? i : 0;
}

static bool
read_time(struct date *d, const char *s, size_t n)
{
    int part[3];
    size_t used;

    for (int i = 0; i < 3; i++) {
        if ((used = read_number(s, n, 1, 2, &part[i])) == 0)
            return false;
        s += used;
        n -= used;
        if (i < 2 && (n == 0 || *s != ':'))
            return false;
        s += i < 2;
        n -= i < 2;
    }
    d->hour = part[0];
    d->minute = part[1];
    d->second = part[2];
    return true;
}

static bool
read_month(struct date *d, const char *s, size_t n)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12 && n >= 3; i++)
        if (strncasecmp(s, &names[i * 3], 3) == 0) {
            d->month = i + 1;
            return true;
        }
    return false;
}

static void
read_token(struct date *d, const char *s, size_t n)
{
    int value;

    if (d->hour < 0 && read_time(d, s, n))
        return;
    if (d->day < 0 && read_number(s, n, 1, 2, &value) != 0)
        d->day = value;
    else if (d->month < 0 && read_month(d, s, n))
        return;
    else if (d->year < 0 && read_number(s, n, 2, 4, &value) != 0)
        d->year = value;
}

static int64_t
seconds_of(struct date *d)
{
    struct tm tm;

    if (d->year >= 70 && d->year <= 99)
        d->year += 1900;
    else if (d->year >= 0 && d->year <= 69)
        d->year += 2000;
    if (d->hour < 0 || d->month < 0 || d->day < 1 || d->day > 31 || d->year < 1601 ||
        d->hour > 23 || d->minute > 59 || d->second > 59)
        return -1;
    tm = (struct tm){ .tm_sec = d->second,
                      .tm_min = d->minute,
                      .tm_hour = d->hour,
                      .tm_mday = d->day,
                      .tm_mon = d->month - 1,
                      .tm_year = d->year - 1900 };
    int64_t at = timegm(&tm);

    return tm.tm_mday == d->day ? (at > 0 ? at : 0) : -1; /* 31 February is no day */
}

int64_t
set_cookie_parse_date(const char *text, size_t n)
{
    struct date d = { -1, -1, -1, -1, -1, -1 };

    while (n > 0) {
        size_t length = 0;

        while (length < n && !is_delimiter((unsigned char)text[length]))
            length++;
        if (length > 0)
            read_token(&d, text, length);
        length += length < n;
        text += length;
        n -= length;
    }
    return seconds_of(&d);
}

/* -- attributes -------------------------------------------------------------- */

struct attributes {
    struct span domain, path;
    bool has_expires, has_max_age, secure, http_only;
    int64_t expires, max_age;
};

static struct span
trim(struct span s)
{
    while (s.n > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.n--;
    }
    while (s.n > 0 && (s.at[s.n - 1] == ' ' || s.at[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Up to `mark`; *s becomes what stands behind it.  `found`: there was one. */
static struct span
cut(struct span *s, char mark, bool *found)
{
    const char *at = memchr(s->at, mark, s->n);
    struct span before = { s->at, at != NULL ? (size_t)(at - s->at) : s->n };

    *found = at != NULL;
    s->at += before.n + *found;
    s->n -= before.n + *found;
    return before;
}

static bool
is(struct span s, const char *text)
{
    return s.n == strlen(text) && strncasecmp(s.at, text, s.n) == 0;
}

/* Digits, as many as there are, with a minus before them; too many are as good as the limit. */
static void
read_max_age(struct attributes *a, struct span value)
{
    bool negative = value.n > 0 && *value.at == '-';
    int64_t seconds = 0;

    if (value.n == (size_t)negative)
        return;
    for (size_t i = negative; i < value.n; i++) {
        if (!isdigit((unsigned char)value.at[i]))
            return;
        if (seconds <= MAX_AGE_MAX)
            seconds = seconds * 10 + (value.at[i] - '0');
    }
    a->has_max_age = true;
    a->max_age = negative ? 0 : seconds < MAX_AGE_MAX ? seconds : MAX_AGE_MAX;
}

static void
read_attribute(struct attributes *a, struct span name, struct span value)
{
    int64_t at;

    if (value.n > ATTRIBUTE_BYTES_MAX)
        return;
    if (is(name, "expires") && (at = set_cookie_parse_date(value.at, value.n)) >= 0) {
        a->has_expires = true;
        a->expires = at;
    } else if (is(name, "max-age")) {
        read_max_age(a, value);
    } else if (is(name, "domain")) {
        a->domain = value;
    } else if (is(name, "path")) {
        a->path = value;
    } else if (is(name, "secure")) {
        a->secure = true;
    } else if (is(name, "httponly")) {
        a->http_only = true;
    }
}

static void
read_attributes(struct attributes *a, struct span rest)
{
    while (rest.n > 0) {
        bool found;
        struct span one = cut(&rest, ';', &found), name = cut(&one, '=', &found);

        read_attribute(a, trim(name), trim(one));
    }
}

/* -- may it be set? ------------------------------------------------------------ */

/* The Domain attribute as a lower-case name without its leading dot; NULL: no memory. */
static char *
domain_of(struct span domain)
{
    char *copy;

    if (domain.n > 0 && *domain.at == '.') {
        domain.at++;
        domain.n--;
    }
    if ((copy = strndup(domain.at, domain.n)) != NULL)
        for (char *c = copy; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
    return copy;
}

/*
 * A cookie for it would reach strangers' hosts, so that it is for one host at most.  Names that end
 * in a dot are not in the list: "com." would reach all of "a.com.", "b.com.".
 */
static bool
is_shared_suffix(const char *domain)
{
    return domain[strlen(domain) - 1] == '.' || public_suffix_is(domain);
}

/* 6265bis 5.7, steps 8 to 10: c->domain and c->host_only; false: not for this host. */
static enum set_cookie
set_domain(struct cookie *c, const struct attributes *a, const char *host)
{
    bool named = a->domain.n > 0;
    char *domain = named ? domain_of(a->domain) : strdup("");

    if (domain == NULL)
        return SET_COOKIE_NO_MEMORY;
    if (*domain != '\0' && is_shared_suffix(domain)) {
        if (strcmp(domain, host) != 0) {
            free(domain);
            return SET_COOKIE_IGNORE;
        }
        *domain = '\0';
    }
    if (*domain != '\0' && !cookie_match_domain(host, domain)) {
        free(domain);
        return SET_COOKIE_IGNORE;
    }
    c->host_only = *domain == '\0';
    if (c->host_only) {
        free(domain);
        domain = strdup(host);
    }
    c->domain = domain;
    return domain != NULL ? SET_COOKIE_STORE : SET_COOKIE_NO_MEMORY;
}

/* RFC 6265 section 5.1.4: the directory of the request's path. */
static char *
default_path(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL || slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool
has_prefix(struct span s, const char *prefix)
{
    return s.n >= strlen(prefix) && strncasecmp(s.at, prefix, strlen(prefix)) == 0;
}

/* 6265bis 5.7, steps 20 to 22; without a name, the value must not pretend to have one. */
static bool
suits_prefix(const struct cookie *c, const struct attributes *a, struct span name,
             struct span value)
{
    if (name.n == 0)
        return !has_prefix(value, "__Secure-") && !has_prefix(value, "__Host-");
    if (has_prefix(name, "__Secure-"))
        return a->secure;
    if (has_prefix(name, "__Host-"))
        return a->secure && c->host_only && a->path.n > 0 && strcmp(c->path, "/") == 0;
    return true;
}

static void
set_expiry(struct cookie *c, const struct attributes *a, int64_t now)
{
    if (a->has_max_age)
        c->expires = a->max_age > 0 ? now + a->max_age : -1;
    else if (a->has_expires)
        c->expires = a->expires > now ? a->expires : -1;
    if (c->expires > now + MAX_AGE_MAX)
        c->expires = now + MAX_AGE_MAX;
}

static enum set_cookie
complete(struct cookie *c, const struct attributes *a, struct span name, struct span value,
         const struct set_cookie_origin *from, int64_t now)
{
    enum set_cookie result = set_domain(c, a, from->host);

    if (result != SET_COOKIE_STORE)
        return result;
    c->path = a->path.n > 0 && *a->path.at == '/' ? strndup(a->path.at, a->path.n)
                                                  : default_path(from->path);
    c->name = strndup(name.at, name.n);
    c->value = strndup(value.at, value.n);
    if (c->path == NULL || c->name == NULL || c->value == NULL)
        return SET_COOKIE_NO_MEMORY;
    if (!suits_prefix(c, a, name, value))
        return SET_COOKIE_IGNORE;
    c->secure = a->secure;
    c->http_only = a->http_only;
    set_expiry(c, a, now);
    if (c->expires >= 0)
        return SET_COOKIE_STORE;
    c->expires = 0;
    return SET_COOKIE_DELETE;
}

/* Control characters but for tabs: such a field is ignored whole (6265bis 5.6, step 1). */
static bool
has_control(const char *field)
{
    for (; *field != '\0'; field++)
        if (((unsigned char)*field < ' ' && *field != '\t') || *field == 0x7f)
            return true;
    return false;
}

enum set_cookie
set_cookie_parse(struct cookie *c, const char *field, const struct set_cookie_origin *from,
                 int64_t now)
{
    struct attributes a = { 0 };
    struct span rest = { field, strlen(field) }, pair, name;
    enum set_cookie result;
    bool found;

    *c = (struct cookie){ 0 };
    if (has_control(field))
        return SET_COOKIE_IGNORE;
    pair = cut(&rest, ';', &found);
    name = cut(&pair, '=', &found);
    if (!found) { /* no "=": all of it is the value */
        pair = name;
        name.n = 0;
    }
    name = trim(name);
    pair = trim(pair);
    if (name.n + pair.n == 0 || name.n + pair.n > SET_COOKIE_BYTES_MAX)
        return SET_COOKIE_IGNORE;
    read_attributes(&a, rest);
    if (a.secure && !from->secure)
        return SET_COOKIE_IGNORE;
    result = complete(c, &a, name, pair, from, now);
    if (result != SET_COOKIE_STORE && result != SET_COOKIE_DELETE)
        cookies_destroy_one(c);
    return result;
}
