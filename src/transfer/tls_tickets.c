/* tls_tickets.c - whose TLS session tickets a transfer may resume with. */

#include "transfer/tls_tickets.h"

#include "transfer/hop.h"
#include "util/hash.h"

#include <string.h>

#define SET(option, value) hop_set(f->hop, option, value)

void
tls_tickets_destroy(struct tls_tickets *t)
{
    while (t->count > 0)
        curl_share_cleanup(t->stores[--t->count].share);
}

/* 0: the tickets that all transfers of the multi handle share will do. */
static uint64_t
key_of(const struct curlew_fetch *f)
{
    const struct request *r = &f->request;
    const struct session *s = f->session;
    const char *client_key = fetch_may_lend(f) ? s->settings.client_key : NULL;
    int64_t resets = counter_read(&s->state->resets);
    uint64_t h = HASH_START;

    if (f->response.impersonated == NULL && !request_has_fingerprint(r) && r->proxy == NULL &&
        client_key == NULL && !s->settings.isolate && resets == 0)
        return 0;
    h = hash_number(hash_number(h, s->state->id), (uint64_t)resets);
    h = hash_text(hash_text(h, f->response.impersonated), client_key);
    h = request_hash_fingerprint(h, r);
    return hash_text(hash_text(hash_text(h, r->proxy), r->proxy_auth.user), r->proxy_auth.password);
}

/* A new one, or the one that was not used for the longest time; NULL: all are in use. */
static struct tls_tickets_store *
make_room(struct tls_tickets *t)
{
    struct tls_tickets_store *oldest = NULL;

    if (t->count < TLS_TICKETS_STORES_MAX)
        return &t->stores[t->count];
    for (size_t i = 0; i < t->count; i++)
        if (t->stores[i].users == 0 && (oldest == NULL || t->stores[i].used < oldest->used))
            oldest = &t->stores[i];
    return oldest;
}

static struct tls_tickets_store *
find_or_make(struct tls_tickets *t, uint64_t key)
{
    struct tls_tickets_store *store;
    CURLSH *share;

    for (size_t i = 0; i < t->count; i++)
        if (t->stores[i].key == key)
            return &t->stores[i];
    if ((store = make_room(t)) == NULL || (share = curl_share_init()) == NULL)
        return NULL;
    if (curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        curl_share_cleanup(share);
        return NULL;
    }
    if (store < t->stores + t->count)
        curl_share_cleanup(store->share);
    else
        t->count++;
    *store = (struct tls_tickets_store){ .key = key, .share = share };
    return store;
}

/* The hello of tor145 has no room for a ticket, nor have some of JA3: the handshake would fail. */
static bool
can_resume(const struct curlew_fetch *f)
{
    const char *target = f->response.impersonated;

    return (target == NULL || strncmp(target, "tor", 3) != 0) && !f->hop->no_tickets;
}

void
tls_tickets_release(struct curlew_fetch *f)
{
    struct tls_tickets_store *store = f->hop->tickets;

    if (store == NULL)
        return;
    SET(CURLOPT_SHARE, NULL);
    store->users--;
    f->hop->tickets = NULL;
}

void
tls_tickets_attach(struct tls_tickets *t, struct curlew_fetch *f)
{
    uint64_t key = key_of(f);
    struct tls_tickets_store *store = NULL;

    tls_tickets_release(f);
    if (key == 0)
        return;
    if (can_resume(f))
        store = find_or_make(t, key);
    if (store == NULL || SET(CURLOPT_SHARE, store->share) != CURLE_OK) {
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
        return;
    }
    store->users++;
    store->used = ++t->clock;
    f->hop->tickets = store;
}
