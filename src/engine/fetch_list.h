/*
 * fetch_list.h - what is in flight, as the engine's threads tell it.
 *
 * A fetch belongs to one engine thread, so each thread is asked by mail and writes what it has into
 * a part of its own.  The last one to do so calls done().  No thread waits for another, and a fetch
 * pays nothing for it.
 */
#ifndef ENGINE_FETCH_LIST_H
#define ENGINE_FETCH_LIST_H

#include "engine/engine_data.h"

#define FETCH_LIST_MAX     1000 /* fetches in one list */
#define FETCH_LIST_DEFAULT 100  /* where its caller names no limit */
#define FETCH_LISTS_MAX    8    /* lists at once, of one engine */

struct fetch_list_entry {
    int64_t submitted_us;   /* on clock_us()'s clock */
    const void *fetch;      /* tells entries apart, and is not to be looked into */
    char *session, *origin; /* owned; of a chain of redirects, the origin it is at */
    const char *state;      /* static */
    int attempts, redirects;
    bool coalesced; /* it shares another one's transfer */
};

/* One engine thread's. */
struct fetch_list_part {
    struct mail mail;
    struct fetch_list *list;
    struct fetch_list_entry *entries; /* room for the list's limit; oldest first */
    size_t count, total;              /* `total` counts those that had no room, too */
    bool no_memory;
};

struct fetch_list {
    struct curlew *engine;
    size_t limit;
    unsigned long number; /* tells lists apart; from 1 */
    /* May the fetches of this session be listed?  On any engine thread.  NULL: all may. */
    bool (*allows)(const struct session *s, void *arg);
    /* Once, on an engine thread, when the list is there. */
    void (*done)(void *arg);
    void *arg; /* of both */
    int64_t asked_us;
    atomic_int missing; /* parts */
    int part_count;
    struct fetch_list_part *parts;

    /* After fetch_list_merge(): */
    struct fetch_list_entry *entries; /* oldest first, at most `limit` */
    size_t count, total;
};

/*
 * Of at most `limit` fetches, the oldest ones; 1 to FETCH_LIST_MAX.  NULL with `err`: no memory, or
 * overloaded: FETCH_LISTS_MAX lists are not yet freed.
 */
struct fetch_list *fetch_list_new(struct curlew *engine, size_t limit, struct failure *err);

/* Not between fetch_list_ask() and done(); NULL is allowed. */
void fetch_list_free(struct fetch_list *l);

/* Asks every thread.  From here on the list is the engine's, until done(). */
void fetch_list_ask(struct fetch_list *l);

/* Of an engine thread: what it has now. */
void fetch_list_answer(struct engine_worker *w, struct fetch_list_part *part);

/* After done(): one list of the parts.  -1 with `err`: a thread had no memory. */
int fetch_list_merge(struct fetch_list *l, struct failure *err);

#endif
