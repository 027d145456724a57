/*
 * embed.c - the engine inside a C program: fetch every URL given, all at once.
 *
 * cc embed.c -lcurlew -lcurl -pthread -o embed && ./embed https://example.com/ https://example.org/
 * The egress guard allows public addresses only; --allow CIDR allows one more range.
 */
#include <curlew/curlew.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static sem_t finished;

/* Runs on a thread of the engine. A program may as well keep the fetch and free it later. */
static void
done(struct curlew_fetch *f, void *url)
{
    const char *error = curlew_fetch_error(f);
    size_t size;

    curlew_fetch_body(f, &size);
    if (error != NULL)
        printf("%s: %s: %s\n", (char *)url, error, curlew_fetch_detail(f));
    else
        printf("%s: %d, %zu bytes, %.3f s\n", (char *)url, curlew_fetch_status(f), size,
               curlew_fetch_seconds(f));
    curlew_fetch_free(f);
    sem_post(&finished);
}

int
main(int argc, char **argv)
{
    const char *allow[2] = { NULL };
    struct curlew_options options;
    char err[256];
    int first = argc > 2 && strcmp(argv[1], "--allow") == 0 ? 3 : 1;

    curlew_options_init(&options);
    allow[0] = first == 3 ? argv[2] : NULL;
    options.allow = allow;

    struct curlew *engine = curlew_new(&options, err, sizeof err);
    if (engine == NULL)
        return fprintf(stderr, "embed: %s\n", err), 1;
    sem_init(&finished, 0, 0);
    for (int i = first; i < argc; i++) {
        struct curlew_fetch *f = curlew_fetch_new(argv[i]);
        if (f == NULL)
            return fprintf(stderr, "embed: no memory\n"), 1;
        if (curlew_submit(engine, f, done, argv[i]) != 0)
            done(f, argv[i]); /* refused: it is ours, with the reason */
    }
    for (int i = first; i < argc; i++)
        sem_wait(&finished);
    curlew_free(engine);
    return 0;
}
