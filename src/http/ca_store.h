/*
 * ca_store.h - certificate authorities that callers have given, by their hash.
 *
 * A bundle crosses once and is named by its SHA-256 from then on: the process keeps the last
 * CA_STORE_COUNT, of CA_STORE_BYTES together.  Past that, the one that was not used for the longest
 * time is no longer found; whoever holds it keeps it.  Certificates are public: that one caller may
 * name what another has given tells nothing.
 *
 * Safe to use from every thread.
 */
#ifndef HTTP_CA_STORE_H
#define HTTP_CA_STORE_H

#include "util/failure.h"
#include "util/list.h"
#include "util/sha256.h"

#include <stdatomic.h>
#include <stddef.h>

#define CA_STORE_COUNT 64
#define CA_STORE_BYTES (16 << 20)
#define CA_STORE_HELD \
    (64 << 20) /* of all that are in memory, also those that are no longer found */

#define CA_STORE_PREFIX "sha256:"

#define CA_STORE_PATH_SIZE 160

struct ca_bundle { /* immutable, but for the first four */
    atomic_int refs;
    struct link link; /* of the store; alone: it is no longer found */
    int fd;           /* of the file in memory; -1: nobody has asked for it */
    char path[CA_STORE_PATH_SIZE];
    char hash[SHA256_HEX_SIZE];
    size_t size;
    char pem[]; /* `size` bytes, then a NUL */
};

/*
 * The bundle of a PEM text, or of "sha256:" and its hash, as a new reference.  NULL with `err`:
 * bad_request, whose detail begins with no key; unknown_ca; overloaded past CA_STORE_HELD; or no
 * memory.
 */
struct ca_bundle *ca_store_get(const char *text, size_t n, struct failure *err);

/*
 * The path of a file in memory with the PEM text, for a libcurl that reads files only.  It lives as
 * long as the bundle.  No other bundle ever gets the same path: libcurl compares paths to decide
 * who may share a connection.  NULL with `err`: overloaded, for want of a descriptor; or no memory.
 */
const char *ca_store_path(struct ca_bundle *b, struct failure *err);

/* NULL is allowed, and stays NULL. */
struct ca_bundle *ca_store_ref(struct ca_bundle *b);

/* The last reference frees; NULL is allowed. */
void ca_store_unref(struct ca_bundle *b);

#endif
