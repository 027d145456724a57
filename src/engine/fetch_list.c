/* fetch_list.c - what is in flight, as the engine's threads tell it. */

#include "engine/fetch_list.h"

#include "engine/worker_inbox.h"
#include "util/clock.h"

#include <stdlib.h>
#include <string.h>

/* -- one fetch ------------------------------------------------------------- */

static const char *
running_state(const struct curlew_fetch *f)
{
    if (f->connecting)
        return "connecting";
    if (f->response.head.status == 0)
        return "waiting";
    return f->paused ? "paused" : "receiving";
}

/* Of a follower, how its leader is. */
static const char *
state_name(const struct curlew_fetch *f)
{
    if (f->state == FETCH_FOLLOWING)
        f = f->flight.leader;
    if (f->state == FETCH_RUNNING)
        return running_state(f);
    return f->state == FETCH_BACKOFF ? "backoff" : "queued";
}

static int
compare(const void *one, const void *other)
{
    const struct fetch_list_entry *a = one, *b = other;

    if (a->submitted_us != b->submitted_us)
        return a->submitted_us < b->submitted_us ? -1 : 1;
    return (a->fetch > b->fetch) - (a->fetch < b->fetch);
}

/*
 * Its place among the oldest; texts are copied once these are known.  A thread's lists are in order
 * of age or nearly so, so that most fetches go to the end, or have no place.
 */
static void
add(struct fetch_list_part *part, const struct curlew_fetch *f)
{
    const struct fetch_list_entry entry = { .submitted_us = f->submitted_us, .fetch = f };
    size_t limit = part->list->limit, at = part->count;

    part->total++;
    while (at > 0 && compare(&entry, &part->entries[at - 1]) < 0)
        at--;
    if (at == limit)
        return;
    if (part->count < limit)
        part->count++;
    memmove(&part->entries[at + 1], &part->entries[at],
            (part->count - at - 1) * sizeof part->entries[0]);
    part->entries[at] = entry;
}

/*
 * A redirect may have taken it from a thread that had answered to this one.  Its number is this
 * thread's to write.
 */
static void
add_once(struct fetch_list_part *part, struct curlew_fetch *f)
{
    const struct fetch_list *l = part->list;

    if (f->listed == l->number)
        return;
    f->listed = l->number;
    if (l->allows == NULL || l->allows(f->session, l->arg))
        add(part, f);
}

/* A leader is nobody's fetch: its followers are. */
static void
see(struct fetch_list_part *part, struct curlew_fetch *f)
{
    const struct link *followers = &f->flight.followers;

    if (!f->flight.is_leader) {
        add_once(part, f);
        return;
    }
    for (const struct link *l = followers->next; l != followers; l = l->next)
        add_once(part, container_of(l, struct curlew_fetch, flight.link));
}

/* -- one thread ------------------------------------------------------------ */

static void
see_list(struct fetch_list_part *part, const struct link *list)
{
    for (const struct link *l = list->next; l != list; l = l->next)
        see(part, container_of(l, struct curlew_fetch, link));
}

static void
see_queues(struct fetch_list_part *part, const struct link *waiting)
{
    for (const struct link *l = waiting->next; l != waiting; l = l->next) {
        const struct link *queue = &container_of(l, struct origin_queue, link)->queue;

        for (const struct link *k = queue->next; k != queue; k = k->next)
            see(part, container_of(k, struct curlew_fetch, ticket.link));
    }
}

/* Those that the thread has taken out of its inbox together with this mail, but not begun. */
static void
see_unread(struct fetch_list_part *part, struct mail *unread)
{
    for (; unread != NULL; unread = unread->next)
        if (unread->about == FETCH_SUBMITTED)
            see(part, container_of(unread, struct curlew_fetch, mail));
}

static void
describe(struct fetch_list_part *part, struct fetch_list_entry *entry)
{
    const struct curlew_fetch *f = entry->fetch;

    entry->session = strdup(f->session->settings.name);
    entry->origin = strdup(f->url.origin);
    entry->state = state_name(f);
    entry->attempts = f->response.attempts;
    entry->redirects = f->redirects;
    entry->coalesced = f->response.coalesced;
    if (entry->session == NULL || entry->origin == NULL)
        part->no_memory = true;
}

void
fetch_list_answer(struct engine_worker *w, struct fetch_list_part *part)
{
    struct fetch_list *l = part->list;

    see_list(part, &w->running);
    see_list(part, &w->backoff);
    see_queues(part, &w->scheduler.queues.waiting);
    see_unread(part, w->unread);
    for (size_t i = 0; i < part->count; i++)
        describe(part, &part->entries[i]);
    if (atomic_fetch_sub(&l->missing, 1) == 1)
        l->done(l->arg);
}

/* -- the list -------------------------------------------------------------- */

struct fetch_list *
fetch_list_new(struct curlew *engine, size_t limit, struct failure *err)
{
    struct fetch_list *l = calloc(1, sizeof *l);

    if (l == NULL)
        goto no_memory;
    l->engine = engine;
    l->limit = limit;
    l->number = atomic_fetch_add(&engine->fetch_list_number, 1) + 1;
    if (atomic_fetch_add(&engine->fetch_lists, 1) >= FETCH_LISTS_MAX) {
        failure_set(err, ERROR_OVERLOADED, "%d lists of fetches are being made already",
                    FETCH_LISTS_MAX);
        fetch_list_free(l);
        return NULL;
    }
    if ((l->parts = calloc((size_t)engine->worker_count, sizeof l->parts[0])) == NULL)
        goto no_memory;
    for (; l->part_count < engine->worker_count; l->part_count++) {
        struct fetch_list_part *part = &l->parts[l->part_count];

        part->list = l;
        if ((part->entries = calloc(limit, sizeof part->entries[0])) == NULL)
            goto no_memory;
    }
    return l;

no_memory:
    failure_no_memory(err);
    fetch_list_free(l);
    return NULL;
}

static void
free_texts(struct fetch_list_entry *entry)
{
    free(entry->session);
    free(entry->origin);
}

static void
free_entries(struct fetch_list_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_texts(&entries[i]);
    free(entries);
}

void
fetch_list_free(struct fetch_list *l)
{
    if (l == NULL)
        return;
    for (int i = 0; i < l->part_count; i++)
        free_entries(l->parts[i].entries, l->parts[i].count);
    free_entries(l->entries, l->count);
    free(l->parts);
    atomic_fetch_sub(&l->engine->fetch_lists, 1);
    free(l);
}

void
fetch_list_ask(struct fetch_list *l)
{
    struct curlew *engine = l->engine;
    int count = l->part_count; /* once all have been asked, the list may be gone */

    l->asked_us = clock_us();
    l->missing = count;
    for (int i = 0; i < count; i++)
        worker_inbox_list(engine->workers[i], &l->parts[i].mail);
}

/* Where two lists are made at once, add_once() may see a fetch that has moved once more. */
static void
drop_repeated(struct fetch_list *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        struct fetch_list_entry *entry = &l->entries[i];

        if (kept > 0 && compare(entry, &l->entries[kept - 1]) == 0) {
            free_texts(entry);
            l->total--;
        } else {
            l->entries[kept++] = *entry;
        }
    }
    l->count = kept;
}

static void
keep_oldest(struct fetch_list *l)
{
    for (; l->count > l->limit; l->count--)
        free_texts(&l->entries[l->count - 1]);
}

int
fetch_list_merge(struct fetch_list *l, struct failure *err)
{
    l->entries = calloc((size_t)l->part_count * l->limit, sizeof l->entries[0]);
    if (l->entries == NULL)
        return failure_no_memory(err);
    for (int i = 0; i < l->part_count; i++) {
        struct fetch_list_part *part = &l->parts[i];

        if (part->no_memory)
            return failure_no_memory(err);
        memcpy(&l->entries[l->count], part->entries, part->count * sizeof part->entries[0]);
        l->count += part->count;
        l->total += part->total;
        part->count = 0; /* they are the list's */
    }
    qsort(l->entries, l->count, sizeof l->entries[0], compare);
    drop_repeated(l);
    keep_oldest(l);
    return 0;
}
