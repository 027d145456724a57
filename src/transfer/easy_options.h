/*
 * easy_options.h - the options of one easy handle, kept from hop to hop where that is safe.
 *
 * curl_easy_reset() and setting some forty options again are a tenth of what a fetch costs, and a
 * browser's fingerprint costs as much as the whole fetch.  So it is remembered what the handle has,
 * and only what differs is set.  Nothing of one hop may be left for the next one:
 *
 * - Each option that is kept has a row in easy_options.c, with the value that undoes it.  A handle
 *   that got any other one (credentials, a proxy, a certificate, an upload, …) is reset.
 * - So is one whose hop did not end well, as libcurl keeps more in it than options.
 * - What points into a fetch, or is secret, goes as soon as the hop is over; the URL's text stays
 *   until the next one's.
 */
#ifndef TRANSFER_EASY_OPTIONS_H
#define TRANSFER_EASY_OPTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#define EASY_OPTIONS_MAX   64
#define EASY_OPTIONS_TEXTS 5
#define EASY_OPTIONS_TEXT  48 /* bytes; a longer text is not compared, but set again */

struct easy_options {
    CURL *easy;
    const char *target;   /* the browser that it looks like; NULL: none */
    bool default_headers; /* with that browser's header fields */
    bool is_fresh;        /* no option is set */
    bool is_named;        /* the hop has named all of its options */
    bool ended_well;      /* the hop, and with it what libcurl keeps beside options */
    bool must_reset;      /* an option is set that has no row */
    bool lacks_reset;     /* one was left out, as the handle is not fresh */
    uint64_t set, wanted; /* by row: not as in a fresh handle; and by this hop */
    intptr_t values[EASY_OPTIONS_MAX];
    char texts[EASY_OPTIONS_TEXTS][EASY_OPTIONS_TEXT];
};

/* A new handle, which remains the caller's. */
void easy_options_init(struct easy_options *o, CURL *easy);

/* Nothing is left of any option or hop. */
void easy_options_reset(struct easy_options *o);

/* A hop begins to name its options.  The handle is reset where it has to be. */
void easy_options_begin(struct easy_options *o);

/* Does the handle look like that browser, an impersonate_targets_find(), or like none? */
bool easy_options_wears(const struct easy_options *o, const char *target, bool default_headers);

/* It does from here on: the caller has used libcurl-impersonate's function on a fresh handle. */
void easy_options_wear(struct easy_options *o, const char *target, bool default_headers);

/*
 * In the place of curl_easy_setopt(): a number, or a pointer cast to one.  Text is copied, as
 * libcurl does; other pointers must last until easy_options_drop(), or as long as the handle.
 */
CURLcode easy_options_set(struct easy_options *o, CURLoption option, intptr_t value);

/*
 * The hop has named all: those of earlier hops are set back.  false: that needs a reset; then all
 * must be named once more.
 */
bool easy_options_end(struct easy_options *o) __attribute__((warn_unused_result));

/* libcurl is done with the hop, at the first attempt and whole, and no credentials were asked. */
void easy_options_on_good_end(struct easy_options *o);

/* The hop is over: nothing in the handle points to what was made for it. */
void easy_options_drop(struct easy_options *o);

/* Make the handle ready for another fetch.  false: there was no memory, it is of no use. */
bool easy_options_try_keep(struct easy_options *o) __attribute__((warn_unused_result));

#endif
