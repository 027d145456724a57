/*
 * header_lines.h - lines for CURLOPT_HTTPHEADER, in two blocks that are kept for the next request.
 *
 * libcurl reads the list while the transfer runs, and neither changes nor frees it.
 */
#ifndef TRANSFER_HEADER_LINES_H
#define TRANSFER_HEADER_LINES_H

#include "util/buffer.h"

#include <curl/curl.h>
#include <stdbool.h>

struct header_lines {
    struct buffer text;       /* the lines, each with its NUL */
    struct curl_slist *nodes; /* owned; one for each line, with room for `room` */
    size_t count, room;
};

void header_lines_init(struct header_lines *l);
void header_lines_destroy(struct header_lines *l);

/*
 * A NULL value leaves out what libcurl would send of this name itself.  -1: no memory.  The list
 * that was given out before is not valid any more.
 */
int header_lines_add(struct header_lines *l, const char *name, const char *value)
    __attribute__((warn_unused_result));

/* Valid up to the next line, or until they are cleared.  NULL: there is none. */
struct curl_slist *header_lines_list(struct header_lines *l);

/* Is there a line of this name, with a value, in the list that was given out? */
bool header_lines_has(const struct header_lines *l, const char *name);

/* As if the values of this name had been NULL, in the list that libcurl has. */
void header_lines_leave_out(struct header_lines *l, const char *name);

/* None is left; memory beyond what is usual is given back. */
void header_lines_clear(struct header_lines *l);

#endif
