/* worker_inbox.c - how other threads reach an engine thread: which one, and what they may ask. */

#include "engine/worker_inbox.h"

#include "util/hash.h"

struct engine_worker *
worker_inbox_for(struct curlew *engine, const char *origin)
{
    size_t at = hash_bucket(hash_text(HASH_START, origin), (size_t)engine->worker_count);

    return engine->workers[at];
}

static void
post(struct engine_worker *w, struct mail *one, enum fetch_mail about)
{
    one->about = about;
    if (mailbox_push(&w->inbox, one))
        loop_wake(&w->loop);
}

void
worker_inbox_post(struct engine_worker *w, struct curlew_fetch *f)
{
    fetch_set_state(f, FETCH_POSTED);
    f->worker = w;
    post(w, &f->mail, FETCH_SUBMITTED);
}

void
worker_inbox_cancel(struct curlew_fetch *f)
{
    struct engine_worker *w;

    if (atomic_exchange(&f->cancelled, true))
        return;
    if ((w = f->worker) != NULL)
        post(w, &fetch_ref(f)->cancel_mail, FETCH_CANCELLED);
}

void
worker_inbox_resume(struct curlew_fetch *f)
{
    struct engine_worker *w = f->worker;

    if (w != NULL)
        post(w, &fetch_ref(f)->resume_mail, FETCH_RESUMED);
}

void
worker_inbox_upload_bytes(struct curlew_fetch *f)
{
    struct engine_worker *w = f->worker;

    if (w != NULL)
        post(w, &fetch_ref(f)->upload_mail, FETCH_UPLOAD_BYTES);
}

void
worker_inbox_list(struct engine_worker *w, struct mail *part)
{
    post(w, part, FETCH_LIST_WANTED);
}

void
worker_inbox_new_config(struct curlew *engine, struct config_snapshot *p)
{
    for (int i = 0; i < engine->worker_count; i++) {
        struct engine_worker *w = engine->workers[i];

        config_snapshot_unref(atomic_exchange(&w->new_config, config_snapshot_ref(p)));
        loop_wake(&w->loop);
    }
}

void
worker_inbox_drop_reset(struct curlew *engine)
{
    for (int i = 0; i < engine->worker_count; i++) {
        engine->workers[i]->drop_reset = true;
        loop_wake(&engine->workers[i]->loop);
    }
}

void
worker_inbox_drop_idle(struct curlew *engine)
{
    for (int i = 0; i < engine->worker_count; i++) {
        engine->workers[i]->drop_idle = true;
        loop_wake(&engine->workers[i]->loop);
    }
}

void
worker_inbox_slot_freed(struct curlew *engine, const struct engine_worker *by)
{
    /*
     * Another thread counts its fetch as queued, then looks for a slot once more; this one has
     * given the slot up, then looks for the queued.  In one order for all, or both could miss the
     * other.
     */
    if (engine->worker_count == 1 || engine->stats.queued == 0)
        return;
    for (int i = 0; i < engine->worker_count; i++)
        if (engine->workers[i] != by)
            loop_wake(&engine->workers[i]->loop);
}
