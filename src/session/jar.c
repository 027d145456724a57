/*
 * jar.c - a session's cookies, lent to its fetches.
 *
 * libcurl hands cookies over as lines of the Netscape format: domain, tail
 * match, path, secure, expires, name and value, with tabs between.
 */

#include "session/jar.h"

#include "base/buffer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_ONLY  "#HttpOnly_"
#define LINE_BYTES 12288 /* libcurl's own limit for a cookie is 8 KiB */

struct jar {
    pthread_mutex_t lock;
    CURL *engine; /* never transfers: it only keeps the cookies */
};

struct jar *
jar_new(void)
{
    struct jar *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    if ((j->engine = curl_easy_init()) == NULL) {
        free(j);
        return NULL;
    }
    curl_easy_setopt(j->engine, CURLOPT_COOKIEFILE, "");
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

void
jar_free(struct jar *j)
{
    if (j == NULL)
        return;
    curl_easy_cleanup(j->engine);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

void
jar_clear(struct jar *j)
{
    pthread_mutex_lock(&j->lock);
    curl_easy_setopt(j->engine, CURLOPT_COOKIELIST, "ALL");
    pthread_mutex_unlock(&j->lock);
}

static struct curl_slist *
lines_of(CURL *easy)
{
    struct curl_slist *lines = NULL;

    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    return lines;
}

struct curl_slist *
jar_lend(struct jar *j, CURL *easy)
{
    struct curl_slist *lines;

    /* Not COOKIEFILE: libcurl 7.88 leaks its list of files when the handle is reset. */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "");    /* no cookie, but it turns the engine on */
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* the handle may have been used before */
    if (j == NULL)
        return NULL;
    pthread_mutex_lock(&j->lock);
    lines = lines_of(j->engine);
    pthread_mutex_unlock(&j->lock);
    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        curl_easy_setopt(easy, CURLOPT_COOKIELIST, l->data);
    return lines;
}

void
jar_move(CURL *from, CURL *to)
{
    struct curl_slist *lines = lines_of(from);

    jar_lend(NULL, to);
    for (struct curl_slist *l = lines; l != NULL; l = l->next)
        curl_easy_setopt(to, CURLOPT_COOKIELIST, l->data);
    curl_slist_free_all(lines);
}

int
jar_add_own(CURL *easy, const struct cookies *own, const char *host)
{
    struct buffer line;
    bool ok = true;

    buffer_init(&line, LINE_BYTES);
    for (size_t i = 0; i < own->count && ok; i++) {
        const struct cookie *c = &own->items[i];
        const char *domain = c->domain != NULL ? c->domain : host;

        buffer_clear(&line);
        buffer_printf(&line, "%s%s%s\t%s\t%s\t%s\t%lld\t%s\t%s", c->http_only ? HTTP_ONLY : "",
                      c->domain != NULL ? "." : "", domain + strspn(domain, "."),
                      c->domain != NULL ? "TRUE" : "FALSE", c->path != NULL ? c->path : "/",
                      c->secure ? "TRUE" : "FALSE", (long long)c->expires, c->name, c->value);
        ok = buffer_ok(&line) && curl_easy_setopt(easy, CURLOPT_COOKIELIST, line.data) == CURLE_OK;
    }
    buffer_free(&line);
    return ok ? 0 : -1;
}

/* -- a line, taken apart ------------------------------------------------- */

enum { DOMAIN, TAIL, PATH, SECURE, EXPIRES, NAME, VALUE, FIELDS };

struct line {
    char *copy; /* the fields point into it */
    char *field[FIELDS];
    bool http_only;
};

static int
line_split(struct line *l, const char *text)
{
    char *at;

    l->http_only = strncmp(text, HTTP_ONLY, strlen(HTTP_ONLY)) == 0;
    if (l->http_only)
        text += strlen(HTTP_ONLY);
    if ((at = l->copy = strdup(text)) == NULL)
        return -1;
    for (int i = 0; i < FIELDS; i++) {
        char *tab = i < FIELDS - 1 ? strchr(at, '\t') : NULL;

        l->field[i] = at;
        if (tab != NULL)
            *tab = '\0';
        at = tab != NULL ? tab + 1 : at + strlen(at);
    }
    return 0;
}

static bool
is_named(const struct pairs *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0)
            return true;
    return false;
}

/*
 * By value, too: a cookie of the request's own, or one that was lent, may bear the name of one that
 * was set for another path.
 */
static bool
is_set(const struct pairs *set, const struct line *l)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, l->field[NAME]) == 0 &&
            strcmp(set->items[i].value, l->field[VALUE]) == 0)
            return true;
    return false;
}

/* Same domain, path and name: the same cookie (RFC 6265 section 5.3, step 11). */
static bool
holds(struct curl_slist *lines, const struct line *wanted)
{
    for (; lines != NULL; lines = lines->next) {
        struct line l;
        bool same;

        if (line_split(&l, lines->data) != 0)
            return false;
        same = strcmp(l.field[NAME], wanted->field[NAME]) == 0 &&
               strcmp(l.field[DOMAIN], wanted->field[DOMAIN]) == 0 &&
               strcmp(l.field[PATH], wanted->field[PATH]) == 0;
        free(l.copy);
        if (same)
            return true;
    }
    return false;
}

/* -- back into the jar --------------------------------------------------- */

static size_t
count_lines(struct curl_slist *lines)
{
    size_t n = 0;

    for (; lines != NULL; lines = lines->next)
        n++;
    return n;
}

/* A cookie that has expired long ago takes the one of the same name away. */
static void
expire(CURL *engine, const struct line *l)
{
    struct buffer b;

    buffer_init(&b, LINE_BYTES);
    buffer_printf(&b, "%s\t%s\t%s\t%s\t1\t%s\t", l->field[DOMAIN], l->field[TAIL], l->field[PATH],
                  l->field[SECURE], l->field[NAME]);
    if (buffer_ok(&b))
        curl_easy_setopt(engine, CURLOPT_COOKIELIST, b.data);
    buffer_free(&b);
}

static void
drop_deleted(struct jar *j, const struct curl_slist *lent, struct curl_slist *now,
             const struct pairs *set)
{
    for (const struct curl_slist *s = lent; s != NULL; s = s->next) {
        struct line l;

        if (line_split(&l, s->data) != 0)
            return;
        if (is_named(set, l.field[NAME]) && !holds(now, &l))
            expire(j->engine, &l);
        free(l.copy);
    }
}

static int
keep(struct cookies *left, const struct line *l)
{
    struct cookie c = {
        .name = l->field[NAME],
        .value = l->field[VALUE],
        .domain = l->field[DOMAIN],
        .path = l->field[PATH],
        .secure = strcmp(l->field[SECURE], "TRUE") == 0,
        .http_only = l->http_only,
        .expires = strtoll(l->field[EXPIRES], NULL, 10),
    };

    c.domain += strspn(c.domain, ".");
    return cookies_add(left, &c);
}

/* In place of the one that the jar has, or where there is room for one more. */
static void
put(struct jar *j, const char *text, const struct line *l, struct curl_slist *held, size_t *room)
{
    bool replaces = holds(held, l);

    if (!replaces && *room == 0)
        return;
    curl_easy_setopt(j->engine, CURLOPT_COOKIELIST, text);
    *room -= !replaces;
}

static int
keep_set(struct jar *j, struct curl_slist *now, struct curl_slist *held, const struct pairs *set,
         struct cookies *left)
{
    size_t room = JAR_COOKIES_MAX - count_lines(held);

    for (struct curl_slist *s = now; s != NULL; s = s->next) {
        struct line l;
        int rc = 0;

        if (line_split(&l, s->data) != 0)
            return -1;
        if (is_set(set, &l)) {
            rc = keep(left, &l);
            if (j != NULL)
                put(j, s->data, &l, held, &room);
        }
        free(l.copy);
        if (rc != 0)
            return -1;
    }
    return 0;
}

int
jar_return(struct jar *j, CURL *easy, const struct curl_slist *lent, const struct pairs *set,
           struct cookies *left)
{
    struct curl_slist *now, *held = NULL;
    int rc;

    if (set->count == 0)
        return 0;
    now = lines_of(easy);
    if (j != NULL) {
        pthread_mutex_lock(&j->lock);
        drop_deleted(j, lent, now, set);
        held = lines_of(j->engine);
    }
    rc = keep_set(j, now, held, set, left);
    if (j != NULL)
        pthread_mutex_unlock(&j->lock);
    curl_slist_free_all(held);
    curl_slist_free_all(now);
    return rc;
}
