/* cookie_jar.c - a session's cookies, lent to its fetches. */

#include "session/cookie_jar.h"

#include "session/netscape_cookie.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 12288 /* libcurl's own limit for a cookie is 8 KiB */

struct cookie_jar {
    pthread_mutex_t lock;
    char *lines[COOKIE_JAR_MAX]; /* each cookie once; the one set last at the end */
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

/* -- in the jar, under its lock ------------------------------------------ */

static void
take_out(struct cookie_jar *j, size_t i)
{
    free(j->lines[i]);
    j->count--;
    memmove(&j->lines[i], &j->lines[i + 1], (j->count - i) * sizeof j->lines[0]);
}

static void
drop(struct cookie_jar *j, const struct netscape_cookie *gone)
{
    for (size_t i = 0; i < j->count; i++) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (netscape_cookie_same(&l, gone)) {
            take_out(j, i);
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

/* The expired ones go first, then the oldest: of the domain, and of all. */
static void
make_room(struct cookie_jar *j, const struct netscape_cookie *for_one)
{
    size_t of_domain = 0, oldest = 0;

    for (size_t i = j->count; i-- > 0;) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (has_expired(&l)) {
            take_out(j, i);
            oldest -= of_domain > 0;
        } else if (netscape_cookie_same_domain(&l, for_one)) {
            of_domain++;
            oldest = i;
        }
    }
    if (of_domain >= COOKIE_JAR_DOMAIN_MAX)
        take_out(j, oldest);
    else if (j->count == COOKIE_JAR_MAX)
        take_out(j, 0);
}

static int
put(struct cookie_jar *j, const char *text, const struct netscape_cookie *l)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return -1;
    drop(j, l);
    make_room(j, l);
    j->lines[j->count++] = copy;
    return 0;
}

/* -- lending ------------------------------------------------------------- */

static struct curl_slist *
lines_of(CURL *easy)
{
    struct curl_slist *lines = NULL;

    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    return lines;
}

void
cookie_jar_enable(CURL *easy)
{
    /* Not COOKIEFILE: libcurl 7.88 leaks its list of files when the handle is reset. */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "");    /* no cookie, but it turns the engine on */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* the handle may have been used before */
}

void
cookie_jar_move(CURL *from, CURL *to)
{
    struct curl_slist *lines = lines_of(from);

    cookie_jar_enable(to);
    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        curl_easy_setopt(to, CURLOPT_COOKIELIST, l->data);
    curl_slist_free_all(lines);
}

/* Under the lock: copies of the lines for the host, but for those in either list. */
static int
copy_lines(struct cookie_jar *j, const char *host, const struct curl_slist *have,
           const struct curl_slist *had, struct curl_slist **copies)
{
    for (size_t i = 0; i < j->count; i++) {
        struct curl_slist *longer;
        struct netscape_cookie l;

        netscape_cookie_parse(&l, j->lines[i]);
        if (!netscape_cookie_matches_host(&l, host) || has_expired(&l) ||
            netscape_cookie_list_has(have, &l) || netscape_cookie_list_has(had, &l))
            continue;
        if ((longer = curl_slist_append(*copies, j->lines[i])) == NULL)
            return -1;
        *copies = longer;
    }
    return 0;
}

int
cookie_jar_export(struct cookie_jar *j, CURL *easy, const char *host, struct curl_slist **lent)
{
    struct curl_slist *have, *copies = NULL, **end = lent;
    int rc;

    if (j == NULL)
        return 0;
    have = lines_of(easy);
    pthread_mutex_lock(&j->lock);
    rc = copy_lines(j, host, have, *lent, &copies);
    pthread_mutex_unlock(&j->lock);
    curl_slist_free_all(have);
    for (struct curl_slist *l = copies; l != NULL; l = l->next)
        curl_easy_setopt(easy, CURLOPT_COOKIELIST, l->data);
    while (*end != NULL)
        end = &(*end)->next;
    *end = copies;
    return rc;
}

int
cookie_jar_add_request_cookies(CURL *easy, const struct cookies *own, const char *host)
{
    struct buffer line;
    bool ok = true;

    buffer_init(&line, LINE_BYTES);
    for (size_t i = 0; i < own->count && ok; i++) {
        buffer_clear(&line);
        netscape_cookie_write(&line, &own->items[i], host);
        ok = buffer_ok(&line) && curl_easy_setopt(easy, CURLOPT_COOKIELIST, line.data) == CURLE_OK;
    }
    buffer_free(&line);
    return ok ? 0 : -1;
}

/* -- back into the jar --------------------------------------------------- */

static bool
is_named(const struct headers *set, const struct netscape_cookie *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (netscape_cookie_field_equals(l, COOKIE_NAME, set->items[i].name))
            return true;
    return false;
}

/*
 * By value, too: a cookie of the request's own, or one that was lent, may bear the name of one that
 * was set for another path.
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
drop_deleted(struct cookie_jar *j, const struct curl_slist *lent, const struct curl_slist *now,
             const struct headers *set)
{
    for (; lent != NULL; lent = lent->next) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, lent->data);
        if (is_named(set, &l) && !netscape_cookie_list_has(now, &l))
            drop(j, &l);
    }
}

static int
keep_set(struct cookie_jar *j, const struct curl_slist *now, const struct headers *set,
         struct cookies *left)
{
    for (; now != NULL; now = now->next) {
        struct netscape_cookie l;

        netscape_cookie_parse(&l, now->data);
        if (!is_set(set, &l))
            continue;
        if (netscape_cookie_append(left, &l) != 0 || (j != NULL && put(j, now->data, &l) != 0))
            return -1;
    }
    return 0;
}

int
cookie_jar_import(struct cookie_jar *j, CURL *easy, const struct curl_slist *lent,
                  const struct headers *set, struct cookies *left)
{
    struct curl_slist *now;
    int rc;

    if (set->count == 0)
        return 0;
    now = lines_of(easy);
    if (j != NULL) {
        pthread_mutex_lock(&j->lock);
        drop_deleted(j, lent, now, set);
    }
    rc = keep_set(j, now, set, left);
    if (j != NULL)
        pthread_mutex_unlock(&j->lock);
    curl_slist_free_all(now);
    return rc;
}
