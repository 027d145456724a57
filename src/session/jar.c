/* jar.c - a session's cookies, lent to its fetches. */

#include "session/jar.h"

#include "session/cookie_line.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 12288 /* libcurl's own limit for a cookie is 8 KiB */

struct jar {
    pthread_mutex_t lock;
    char *lines[JAR_COOKIES_MAX]; /* each cookie once; the one set last at the end */
    size_t count;
};

struct jar *
jar_new(void)
{
    struct jar *j = calloc(1, sizeof *j);

    if (j != NULL)
        pthread_mutex_init(&j->lock, NULL);
    return j;
}

void
jar_free(struct jar *j)
{
    if (j == NULL)
        return;
    jar_clear(j);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

void
jar_clear(struct jar *j)
{
    pthread_mutex_lock(&j->lock);
    while (j->count > 0)
        free(j->lines[--j->count]);
    pthread_mutex_unlock(&j->lock);
}

/* -- in the jar, under its lock ------------------------------------------ */

static void
take_out(struct jar *j, size_t i)
{
    free(j->lines[i]);
    j->count--;
    memmove(&j->lines[i], &j->lines[i + 1], (j->count - i) * sizeof j->lines[0]);
}

static void
drop(struct jar *j, const struct cookie_line *gone)
{
    for (size_t i = 0; i < j->count; i++) {
        struct cookie_line l;

        cookie_line_split(&l, j->lines[i]);
        if (cookie_line_same(&l, gone)) {
            take_out(j, i);
            return;
        }
    }
}

static bool
has_expired(const struct cookie_line *l)
{
    int64_t at = cookie_line_expires(l);

    return at != 0 && at < time(NULL);
}

/* The expired ones go first, then the oldest: of the domain, and of all. */
static void
make_room(struct jar *j, const struct cookie_line *for_one)
{
    size_t of_domain = 0, oldest = 0;

    for (size_t i = j->count; i-- > 0;) {
        struct cookie_line l;

        cookie_line_split(&l, j->lines[i]);
        if (has_expired(&l)) {
            take_out(j, i);
            oldest -= of_domain > 0;
        } else if (cookie_line_near(&l, for_one)) {
            of_domain++;
            oldest = i;
        }
    }
    if (of_domain >= JAR_DOMAIN_MAX)
        take_out(j, oldest);
    else if (j->count == JAR_COOKIES_MAX)
        take_out(j, 0);
}

static int
put(struct jar *j, const char *text, const struct cookie_line *l)
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
jar_open(CURL *easy)
{
    /* Not COOKIEFILE: libcurl 7.88 leaks its list of files when the handle is reset. */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "");    /* no cookie, but it turns the engine on */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* the handle may have been used before */
}

void
jar_move(CURL *from, CURL *to)
{
    struct curl_slist *lines = lines_of(from);

    jar_open(to);
    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        curl_easy_setopt(to, CURLOPT_COOKIELIST, l->data);
    curl_slist_free_all(lines);
}

/* Under the lock: copies of the lines for the host, but for those in either list. */
static int
copy_lines(struct jar *j, const char *host, const struct curl_slist *have,
           const struct curl_slist *had, struct curl_slist **copies)
{
    for (size_t i = 0; i < j->count; i++) {
        struct curl_slist *longer;
        struct cookie_line l;

        cookie_line_split(&l, j->lines[i]);
        if (!cookie_line_suits(&l, host) || has_expired(&l) || cookie_lines_hold(have, &l) ||
            cookie_lines_hold(had, &l))
            continue;
        if ((longer = curl_slist_append(*copies, j->lines[i])) == NULL)
            return -1;
        *copies = longer;
    }
    return 0;
}

int
jar_lend(struct jar *j, CURL *easy, const char *host, struct curl_slist **lent)
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
jar_add_own(CURL *easy, const struct cookies *own, const char *host)
{
    struct buffer line;
    bool ok = true;

    buffer_init(&line, LINE_BYTES);
    for (size_t i = 0; i < own->count && ok; i++) {
        buffer_clear(&line);
        cookie_line_write(&line, &own->items[i], host);
        ok = buffer_ok(&line) && curl_easy_setopt(easy, CURLOPT_COOKIELIST, line.data) == CURLE_OK;
    }
    buffer_free(&line);
    return ok ? 0 : -1;
}

/* -- back into the jar --------------------------------------------------- */

static bool
is_named(const struct headers *set, const struct cookie_line *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (cookie_line_is(l, COOKIE_NAME, set->items[i].name))
            return true;
    return false;
}

/*
 * By value, too: a cookie of the request's own, or one that was lent, may bear the name of one that
 * was set for another path.
 */
static bool
is_set(const struct headers *set, const struct cookie_line *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (cookie_line_is(l, COOKIE_NAME, set->items[i].name) &&
            cookie_line_is(l, COOKIE_VALUE, set->items[i].value))
            return true;
    return false;
}

static void
drop_deleted(struct jar *j, const struct curl_slist *lent, const struct curl_slist *now,
             const struct headers *set)
{
    for (; lent != NULL; lent = lent->next) {
        struct cookie_line l;

        cookie_line_split(&l, lent->data);
        if (is_named(set, &l) && !cookie_lines_hold(now, &l))
            drop(j, &l);
    }
}

static int
keep_set(struct jar *j, const struct curl_slist *now, const struct headers *set,
         struct cookies *left)
{
    for (; now != NULL; now = now->next) {
        struct cookie_line l;

        cookie_line_split(&l, now->data);
        if (!is_set(set, &l))
            continue;
        if (cookie_line_add(left, &l) != 0 || (j != NULL && put(j, now->data, &l) != 0))
            return -1;
    }
    return 0;
}

int
jar_return(struct jar *j, CURL *easy, const struct curl_slist *lent, const struct headers *set,
           struct cookies *left)
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
