/* cookie_jar.c - the cookies of a session, shared by its fetches. */

#include "session/cookie_jar.h"

#include "session/netscape_cookie.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 12288 /* libcurl's own limit for a cookie is 8 KiB */

struct cookie_jar {
    pthread_mutex_t lock;
    char *lines[COOKIE_JAR_MAX]; /* in the Netscape format; each cookie once, in order of setting */
    size_t count;
};

struct cookie_jar *
cookie_jar_new(void)
{
    struct cookie_jar *j = calloc(1, sizeof *j);

    if (j != NULL)
        pthread_mutex_init(&j->lock, NULL);
    return j;
}

void
cookie_jar_free(struct cookie_jar *j)
{
    if (j == NULL)
        return;
    cookie_jar_clear(j);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

void
cookie_jar_clear(struct cookie_jar *j)
{
    pthread_mutex_lock(&j->lock);
    while (j->count > 0)
        free(j->lines[--j->count]);
    pthread_mutex_unlock(&j->lock);
}

/* -- the jar; these are called under its lock ----------------------------- */

static void
remove_at(struct cookie_jar *j, size_t i)
{
    free(j->lines[i]);
    j->count--;
    memmove(&j->lines[i], &j->lines[i + 1], (j->count - i) * sizeof j->lines[0]);
}

static void
remove_cookie(struct cookie_jar *j, const struct netscape_cookie *gone)
{
    for (size_t i = 0; i < j->count; i++) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (netscape_cookie_same(&l, gone)) {
            remove_at(j, i);
            return;
        }
    }
}

static bool
has_expired(const struct netscape_cookie *l)
{
    int64_t at = netscape_cookie_expires(l);

    return at != 0 && at < time(NULL);
}

/*
 * Remove the expired cookies; then, where a limit is still reached, the oldest of the domain or of
 * all.
 */
static void
make_room(struct cookie_jar *j, const struct netscape_cookie *added)
{
    size_t of_domain = 0, oldest = 0;

    for (size_t i = j->count; i-- > 0;) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (has_expired(&l)) {
            remove_at(j, i);
            oldest -= of_domain > 0;
        } else if (netscape_cookie_same_domain(&l, added)) {
            of_domain++;
            oldest = i;
        }
    }
    if (of_domain >= COOKIE_JAR_DOMAIN_MAX)
        remove_at(j, oldest);
    else if (j->count == COOKIE_JAR_MAX)
        remove_at(j, 0);
}

static int
put(struct cookie_jar *j, const char *text, const struct netscape_cookie *l)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return -1;
    remove_cookie(j, l);
    make_room(j, l);
    j->lines[j->count++] = copy;
    return 0;
}

/* -- from the jar to a handle --------------------------------------------- */

static struct curl_slist *
lines_of(CURL *easy)
{
    struct curl_slist *lines = NULL;

    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    return lines;
}

static bool
is_in_handle(const struct curl_slist *lines, const struct netscape_cookie *wanted)
{
    for (; lines != NULL; lines = lines->next)
        if (netscape_cookie_same_as_line(wanted, lines->data))
            return true;
    return false;
}

static bool
is_exported(const struct exported_cookie *exported, const struct netscape_cookie *wanted)
{
    for (; exported != NULL; exported = exported->next)
        if (netscape_cookie_same_as_line(wanted, exported->line))
            return true;
    return false;
}

void
cookie_jar_enable(void *easy)
{
    /* Not COOKIEFILE: libcurl 7.88 leaks its list of files when the handle is reset. */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "");    /* no cookie, but it turns the engine on */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* the handle may have been used before */
}

/* false: libcurl does not take it. */
static bool
add_line(CURL *easy, const char *line)
{
    return curl_easy_setopt(easy, CURLOPT_COOKIELIST, line) == CURLE_OK;
}

void
cookie_jar_move(void *from, void *to)
{
    struct curl_slist *lines = lines_of(from);

    cookie_jar_enable(to);
    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        add_line(to, l->data);
    curl_slist_free_all(lines);
}

/* Append a copy of the line; the new end of the list, or NULL: no memory. */
static struct exported_cookie **
append_export(struct exported_cookie **end, const char *line)
{
    size_t size = strlen(line) + 1;
    struct exported_cookie *one = malloc(sizeof *one + size);

    if (one == NULL)
        return NULL;
    one->next = NULL;
    memcpy(one->line, line, size);
    *end = one;
    return &one->next;
}

/* Under the lock: append to *end the cookies for the host, except those in either list. */
static int
copy_lines(struct cookie_jar *j, const char *host, const struct curl_slist *in_handle,
           const struct exported_cookie *exported, struct exported_cookie **end)
{
    for (size_t i = 0; i < j->count; i++) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (!netscape_cookie_matches_host(&l, host) || has_expired(&l) ||
            is_in_handle(in_handle, &l) || is_exported(exported, &l))
            continue;
        if ((end = append_export(end, j->lines[i])) == NULL)
            return -1;
    }
    return 0;
}

int
cookie_jar_export(struct cookie_jar *j, void *easy, const char *host,
                  struct exported_cookie **exported)
{
    struct exported_cookie *added = NULL, **end = exported;
    struct curl_slist *in_handle;
    int rc;

    if (j == NULL)
        return 0;
    in_handle = lines_of(easy);
    pthread_mutex_lock(&j->lock);
    rc = copy_lines(j, host, in_handle, *exported, &added);
    pthread_mutex_unlock(&j->lock);
    curl_slist_free_all(in_handle);
    for (struct exported_cookie *e = added; e != NULL; e = e->next)
        add_line(easy, e->line);
    while (*end != NULL)
        end = &(*end)->next;
    *end = added;
    return rc;
}

void
cookie_jar_export_free(struct exported_cookie *exported)
{
    while (exported != NULL) {
        struct exported_cookie *next = exported->next;

        free(exported);
        exported = next;
    }
}

int
cookie_jar_add_request_cookies(void *easy, const struct cookies *own, const char *host)
{
    struct buffer line;
    bool ok = true;

    buffer_init(&line, LINE_BYTES);
    for (size_t i = 0; i < own->count && ok; i++) {
        buffer_clear(&line);
        netscape_cookie_write(&line, &own->items[i], host);
        ok = buffer_ok(&line) && add_line(easy, line.data);
    }
    buffer_free(&line);
    return ok ? 0 : -1;
}

/* -- from a handle to the jar --------------------------------------------- */

static bool
is_named(const struct headers *set, const struct netscape_cookie *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (netscape_cookie_field_equals(l, COOKIE_NAME, set->items[i].name))
            return true;
    return false;
}

/*
 * Compares the value, too: a cookie of the request, or an exported one, may have the name of one
 * that was set for another path.
 */
static bool
is_set(const struct headers *set, const struct netscape_cookie *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (netscape_cookie_field_equals(l, COOKIE_NAME, set->items[i].name) &&
            netscape_cookie_field_equals(l, COOKIE_VALUE, set->items[i].value))
            return true;
    return false;
}

static void
remove_deleted(struct cookie_jar *j, const struct exported_cookie *exported,
               const struct curl_slist *in_handle, const struct headers *set)
{
    for (; exported != NULL; exported = exported->next) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, exported->line);
        if (is_named(set, &l) && !is_in_handle(in_handle, &l))
            remove_cookie(j, &l);
    }
}

static int
keep_set(struct cookie_jar *j, const struct curl_slist *in_handle, const struct headers *set,
         struct cookies *left)
{
    for (; in_handle != NULL; in_handle = in_handle->next) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, in_handle->data);
        if (!is_set(set, &l))
            continue;
        if (netscape_cookie_append(left, &l) != 0 ||
            (j != NULL && put(j, in_handle->data, &l) != 0))
            return -1;
    }
    return 0;
}

int
cookie_jar_import(struct cookie_jar *j, void *easy, const struct exported_cookie *exported,
                  const struct headers *set, struct cookies *left)
{
    struct curl_slist *in_handle;
    int rc;

    if (set->count == 0)
        return 0;
    in_handle = lines_of(easy);
    if (j != NULL) {
        pthread_mutex_lock(&j->lock);
        remove_deleted(j, exported, in_handle, set);
    }
    rc = keep_set(j, in_handle, set, left);
    if (j != NULL)
        pthread_mutex_unlock(&j->lock);
    curl_slist_free_all(in_handle);
    return rc;
}
