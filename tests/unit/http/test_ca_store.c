/* test_ca_store.c - certificate authorities that callers have given, by their hash. */

#include "http/ca_store.h"

#include "http/ca_pem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CERT "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"

static struct failure err;

/* A bundle of about `size` bytes, one of its own for each number. */
static struct ca_bundle *
give(int number, size_t size)
{
    char *text = calloc(1, size + 100);
    struct ca_bundle *b;

    sprintf(text, "%d\n" CERT, number);
    while (strlen(text) < size)
        memset(text + strlen(text), '\n', size - strlen(text));
    err = (struct failure){ 0 };
    b = ca_store_get(text, strlen(text), &err);
    free(text);
    return b;
}

static struct ca_bundle *
name(const char *hash)
{
    char text[100];

    snprintf(text, sizeof text, "sha256:%s", hash);
    err = (struct failure){ 0 };
    return ca_store_get(text, strlen(text), &err);
}

static bool
is_found(const struct ca_bundle *b)
{
    struct ca_bundle *found = name(b->hash);

    ca_store_unref(found);
    return found == b;
}

Test(ca_store, finds_a_bundle_by_its_hash)
{
    struct ca_bundle *b = ca_store_get(CERT, strlen(CERT), &err), *again;
    char hash[SHA256_HEX_SIZE];

    cr_assert_not_null(b, "%s", err.detail);
    sha256_hex(hash, CERT, strlen(CERT));
    cr_assert_str_eq(b->hash, hash);
    cr_assert_str_eq(b->pem, CERT);
    cr_assert_eq(b->size, strlen(CERT));
    again = ca_store_get(CERT, strlen(CERT), &err);
    cr_assert_eq(again, b, "one bundle, however often it is given");
    ca_store_unref(again);
    ca_store_unref(b);
    again = name(hash);
    cr_assert_eq(again, b, "the store keeps it");
    ca_store_unref(again);
}

Test(ca_store, tells_a_hash_that_it_does_not_know_from_what_is_none)
{
    char hash[SHA256_HEX_SIZE];

    memset(hash, 'f', sizeof hash - 1);
    hash[sizeof hash - 1] = '\0';
    cr_assert_null(name(hash));
    cr_assert_eq(err.error, ERROR_UNKNOWN_CA);
    cr_assert_not_null(strstr(err.detail, "send the PEM"), "%s", err.detail);
    hash[0] = 'F';
    cr_assert_null(name(hash));
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
    cr_assert_null(name("abc"));
    cr_assert_eq(err.error, ERROR_BAD_REQUEST);
}

Test(ca_store, keeps_so_many_and_forgets_the_longest_unused)
{
    struct ca_bundle *all[CA_STORE_COUNT + 1];

    for (int i = 0; i < CA_STORE_COUNT; i++)
        cr_assert_not_null(all[i] = give(i, 0), "%s", err.detail);
    cr_assert(is_found(all[0]));
    cr_assert_not_null(all[CA_STORE_COUNT] = give(CA_STORE_COUNT, 0));
    cr_assert(is_found(all[0]), "it was used a moment ago");
    cr_assert_not(is_found(all[1]));
    cr_assert(is_found(all[2]));
    cr_assert_str_eq(all[1]->pem + 2, CERT, "who holds it keeps it");
    for (int i = 0; i <= CA_STORE_COUNT; i++)
        ca_store_unref(all[i]);
}

Test(ca_store, keeps_so_many_bytes)
{
    struct ca_bundle *first = give(0, CA_PEM_BYTES_MAX);

    for (int i = 1; i < CA_STORE_BYTES / CA_PEM_BYTES_MAX; i++)
        ca_store_unref(give(i, CA_PEM_BYTES_MAX));
    cr_assert(is_found(first));
    ca_store_unref(give(1, CA_PEM_BYTES_MAX)); /* the second is now the latest of the others */
    ca_store_unref(give(100, 0));
    cr_assert(is_found(first));
    ca_store_unref(give(2, CA_PEM_BYTES_MAX));
    ca_store_unref(give(101, CA_PEM_BYTES_MAX));
    ca_store_unref(first);
}

Test(ca_store, refuses_more_than_may_be_held)
{
    enum { COUNT = CA_STORE_HELD / CA_PEM_BYTES_MAX };
    struct ca_bundle *all[COUNT], *one_more;

    for (int i = 0; i < COUNT; i++)
        cr_assert_not_null(all[i] = give(i, CA_PEM_BYTES_MAX), "%s", err.detail);
    cr_assert_null(give(COUNT, 0));
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    ca_store_unref(all[0]);
    cr_assert_not_null(one_more = give(COUNT, 0), "%s", err.detail);
    ca_store_unref(one_more);
    for (int i = 1; i < COUNT; i++)
        ca_store_unref(all[i]);
}

static bool
has_text(const char *path, const char *text)
{
    char read[1000] = "";
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return false;
    read[fread(read, 1, sizeof read - 1, file)] = '\0';
    fclose(file);
    return strcmp(read, text) == 0;
}

Test(ca_store, gives_a_file_that_can_be_read_again)
{
    struct ca_bundle *b = give(1, 0);
    const char *path = ca_store_path(b, &err);

    cr_assert_not_null(path, "%s", err.detail);
    cr_assert(has_text(path, b->pem));
    cr_assert(has_text(path, b->pem), "from its start");
    cr_assert_str_eq(ca_store_path(b, &err), path);
    ca_store_unref(b);
}

/* Else a connection that was opened on one caller's trust would serve another's. */
Test(ca_store, never_gives_a_path_twice)
{
    enum { COUNT = 3 * CA_STORE_COUNT };
    static char paths[COUNT][CA_STORE_PATH_SIZE];
    int last_fd = -1, again = 0;

    for (int i = 0; i < COUNT; i++) {
        struct ca_bundle *b = give(i, 0);

        cr_assert_not_null(ca_store_path(b, &err), "%s", err.detail);
        cr_assert(has_text(b->path, b->pem));
        strcpy(paths[i], b->path);
        again += b->fd <= last_fd;
        last_fd = b->fd;
        for (int other = 0; other < i; other++)
            cr_assert_str_neq(paths[other], paths[i]);
        ca_store_unref(b);
    }
    cr_assert_gt(again, 0, "no descriptor was closed and used again");
}

Test(ca_store, says_so_when_no_descriptor_is_left_for_a_file)
{
    struct ca_bundle *b = give(1, 0);
    struct rlimit limit, none;
    const char *path;

    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    path = ca_store_path(b, &err);
    setrlimit(RLIMIT_NOFILE, &limit); /* Criterion needs some */
    cr_assert_null(path);
    cr_assert_eq(err.error, ERROR_OVERLOADED);
    ca_store_unref(b);
}
