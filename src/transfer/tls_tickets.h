/*
 * tls_tickets.h - whose TLS session tickets a transfer may resume with.
 *
 * A ticket tells an origin that two connections come from one client.  libcurl keeps all tickets of
 * a multi handle together, so the browsers that one thread impersonates, its proxies and its client
 * certificates would be recognised as one.  A transfer with one of these has a store of its own
 * kind: the same session, target, proxy and credentials.  A reset of the session begins a new one.
 *
 * libcurl keeps the tickets of 25 origins in a store (lib/vtls).
 */
#ifndef TRANSFER_TLS_TICKETS_H
#define TRANSFER_TLS_TICKETS_H

#include "fetch/fetch.h"

#include <curl/curl.h>

#define TLS_TICKETS_STORES_MAX 256 /* of one engine thread; without one, nothing is resumed */

struct tls_tickets_store {
    uint64_t key;
    CURLSH *share;
    int users;     /* handles that have it */
    uint64_t used; /* the least is the first to go */
};

/* Of one engine thread, which alone uses it. */
struct tls_tickets {
    struct tls_tickets_store stores[TLS_TICKETS_STORES_MAX];
    size_t count;
    uint64_t clock;
};

/* Nobody uses a store any more. */
void tls_tickets_destroy(struct tls_tickets *t);

/*
 * Give f's handle the store that this hop needs, in place of another hop's; or none.  t must not
 * move until it is released.
 */
void tls_tickets_attach(struct tls_tickets *t, struct curlew_fetch *f);

/* Take it back, before the handle is used for something else.  It may have none. */
void tls_tickets_release(struct curlew_fetch *f);

#endif
